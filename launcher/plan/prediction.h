#pragma once

#include <string_view>
#include <vector>

#include "launcher/plan/image.h"
#include "launcher/spec/launch_spec.h"
#include "measure/event.h"

namespace launcher {

/// The events that a launch of `image` measures, the separator among them: by the very functions that a launch goes
/// through, so that it measures them and no others. Throws what ends the launch before, such as what the image's policy
/// does not allow. What only a machine can tell is not looked at: its memory, the image's files.
std::vector<measure::Event> predict_launch(const Image& image, const LaunchSpec& spec, bool hardened,
                                           std::string_view hostname);

}  // namespace launcher
