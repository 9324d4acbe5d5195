#pragma once

#include <string>
#include <string_view>

#include "launcher/policy/labels.h"

namespace launcher {

/// On which images something is allowed.
enum class Gate { kDebugOnly, kAlways, kNever };

std::string_view name_of(Gate gate);

/// "debugonly", "always" or "never", in any letters' case, white space around it; kDebugOnly where the label is absent.
Gate read_gate(LabelReader& reader, const std::string& label);

}  // namespace launcher
