#pragma once

#include <cstddef>
#include <vector>

#include "base/json.h"
#include "launcher/pull/image.h"
#include "launcher/spec/launch_spec.h"
#include "measure/event.h"

namespace launcher {

/// Each costs the TPM a command, of up to half a millisecond in software and tens in hardware.
inline constexpr std::size_t kMaxLaunchEvents = 12288;

/// The events of a launch, in the order in which they are measured, without the separator:
///   ImageRef, ImageDigest, RestartPolicy, ImageID, Arg..., EnvVar..., OverrideEnv..., OverrideArg..., MemoryMonitor.
/// Arguments and environment are read from `runtime_spec`, the document that containerd is given. Overridden variables
/// stand in the order of their names. Throws InvalidInput for a variable that a verifier could not read, for more than
/// kMaxLaunchEvents, and for a process that could not be executed (exec_limits.h).
std::vector<measure::Event> launch_events(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec);

/// How many bytes arguments, environment and what overrides them have as JSON in a token's claims.
std::size_t claims_bytes(const LaunchSpec& spec, const base::Json& runtime_spec);

}  // namespace launcher
