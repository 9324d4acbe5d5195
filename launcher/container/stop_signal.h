#pragma once

#include <optional>
#include <string_view>

namespace launcher {

/// The signal that an image's STOPSIGNAL means, as Docker reads it: a number, or a name with or without SIG, SIGRTMIN+N
/// and SIGRTMAX-N among them, in any letters' case. Nothing for another text.
std::optional<int> parse_stop_signal(std::string_view text);

}  // namespace launcher
