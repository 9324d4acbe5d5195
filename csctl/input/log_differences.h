#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "csctl/input/logs.h"
#include "measure/hash.h"

namespace csctl {

/// An event that stands in one of two logs alone, or in place of another one.
struct EventDifference {
  std::uint32_t pcr = 0;
  std::optional<LoggedEvent> expected;
  std::optional<LoggedEvent> found;
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;  ///< in which they were compared

  /// Whether it is one of the launch.
  bool is_launch() const { return found ? found->is_launch : expected && expected->is_launch; }
  /// Whether reference values and tokens tell of the register; the others hold what is each machine's own.
  bool matters() const;
  /// What it is, in words by which it can be told from the one that stands for it in the other log; or "nothing".
  std::string expected_words() const;
  std::string found_words() const;
};

/// "sha256:0123...", of an event's digest in this bank.
std::string digest_text(const LoggedEvent& event, measure::HashAlgorithm bank);

/// In the order in which they happened, those that matter first, those of a launch behind those of the boot. Throws
/// InvalidInput when there is no kind of log that both have, Error when these have no bank in common.
std::vector<EventDifference> differences_between(const Logs& expected, const Logs& found);

}  // namespace csctl
