#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "evidence/messages.h"
#include "launcher/plan/image.h"
#include "launcher/spec/launch_spec.h"
#include "measure/event.h"
#include "oci/digest.h"

namespace launcher {

/// Each costs the TPM a command, of up to half a millisecond in software and tens in hardware.
inline constexpr std::size_t kMaxLaunchEvents = 12288;

/// What of a launch is measured.
struct MeasuredLaunch {
  std::string image_reference;  ///< containerd's name of the image
  oci::Digest image_digest;     ///< of what the reference resolved to: an index or a manifest
  oci::Digest image_id;         ///< of the image's configuration
  RestartPolicy restart_policy = RestartPolicy::kNever;
  std::vector<std::string> args = {};  ///< these two: of the very document that containerd is given
  std::vector<std::string> env = {};   ///< NAME=VALUE
  std::map<std::string, std::string> env_override = {};
  std::optional<std::vector<std::string>> cmd_override = {};
  bool memory_is_monitored = false;

  /// Throws InvalidInput.
  static MeasuredLaunch of(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec);
};

/// The events of a launch, in the order in which they are measured, without the separator:
///   ImageRef, ImageDigest, RestartPolicy, ImageID, Arg..., EnvVar..., OverrideEnv..., OverrideArg..., MemoryMonitor.
/// Overridden variables stand in the order of their names. Throws InvalidInput for a variable that a verifier could not
/// read, for more than kMaxLaunchEvents, and for a process that could not be executed (base/exec_limits.h).
std::vector<measure::Event> launch_events(const MeasuredLaunch& launch);

/// How many bytes arguments, environment and what overrides them have as JSON in a token's claims.
std::size_t claims_bytes(const MeasuredLaunch& launch);

/// What no verifier would take must not be measured: there would be no token, and no second launch before a reboot.
/// `request_bytes`: of a request for a token, at the most. Throws InvalidInput.
void expect_attestable(const MeasuredLaunch& launch, std::size_t request_bytes, evidence::Signatures signatures);

}  // namespace launcher
