#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/cel.h"

namespace verifier {

/// Twice what our launcher measures at most.
inline constexpr std::size_t kMaxLaunchEvents = 2 * std::size_t{12288};

/// What was launched, as the launcher measured it.
struct LaunchState {
  std::string image_reference;
  std::string image_digest;  ///< sha256:<64 hexadecimal digits>
  std::string image_id;      ///< the same form
  std::string restart_policy;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;
  std::vector<std::string> override_args;
  std::map<std::string, std::string> override_env;
  bool memory_monitoring = false;
  std::optional<std::string> gpu_cc_mode;

  bool operator==(const LaunchState&) const = default;
};

/// Reads the records of a launch's event log. Throws InvalidInput unless every record is of PCR 13, its digests are
/// those of its content, and together they tell of one complete launch: one ImageRef, ImageDigest, RestartPolicy,
/// ImageID and MemoryMonitor, at least one Arg, and at the very end one empty separator. Says nothing of what the PCR
/// holds.
LaunchState parse_launch_log(std::span<const measure::CelRecord> records);

}  // namespace verifier
