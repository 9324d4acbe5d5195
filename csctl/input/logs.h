#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "csctl/input/material.h"
#include "measure/boot_log.h"
#include "measure/cel.h"

namespace csctl {

/// What stands behind an event's text.
enum class Standing : std::uint8_t {
  kMeasured,    ///< the event's digest is that of the data
  kOnlySaid,    ///< the digest is of something else, such as of the file that the text names
  kNotMeasured  ///< the event is in the log, and in no register
};
/// "measured", "said" and "not measured".
std::string_view name_of(Standing standing);

/// An event of either log, as it is shown.
struct LoggedEvent {
  bool is_launch = false;  ///< of the launch's log, not of the boot's
  std::uint32_t pcr = 0;
  std::uint64_t number = 0;  ///< in its log, from 0
  std::string type;
  Standing standing = Standing::kMeasured;
  std::string text;  ///< nothing is escaped
  measure::DigestSet digests;
};

/// Of a record of a launch's log.
LoggedEvent logged_event_of(const measure::CelRecord& record);

/// The logs of what somebody hands over, read.
struct Logs {
  Material material;
  std::optional<measure::BootLog> boot;
  std::optional<std::vector<measure::CelRecord>> launch;

  /// Of a file, or "-". Throws InvalidInput that names it, also when it has no log.
  static Logs read(const std::string& path);
  static Logs of(Material material);

  std::vector<LoggedEvent> boot_events() const;
  std::vector<LoggedEvent> launch_events() const;
};

/// The banks of which every measured event has a digest.
std::vector<measure::HashAlgorithm> banks_of(const std::vector<LoggedEvent>& events);

}  // namespace csctl
