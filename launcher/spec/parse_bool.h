#pragma once

#include <optional>
#include <string_view>

namespace launcher {

/// A boolean as the contract's attributes and labels write it (Go's strconv.ParseBool): 1 t T TRUE true True,
/// 0 f F FALSE false False. Nothing for any other text.
std::optional<bool> parse_bool(std::string_view text);

}  // namespace launcher
