#pragma once

#include <vector>

#include "base/json.h"
#include "launcher/image.h"
#include "launcher/spec/launch_spec.h"
#include "measure/event.h"

namespace launcher {

/// The events of a launch, in the order in which they are measured, without the separator:
///   ImageRef, ImageDigest, RestartPolicy, ImageID, Arg..., EnvVar..., OverrideEnv..., OverrideArg..., MemoryMonitor.
/// Arguments and environment are read from `runtime_spec`, the document that containerd is given. Overridden variables
/// stand in the order of their names. Throws InvalidInput for a variable that a verifier could not read.
std::vector<measure::Event> launch_events(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec);

}  // namespace launcher
