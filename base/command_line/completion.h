#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/command_line/command_text.h"

namespace base {

/// For which completion_script has one.
inline constexpr std::array<std::string_view, 3> kShells = {"bash", "zsh", "fish"};

/// A script by which the shell completes subcommands, options, their choices, and files. `shell` is one of kShells.
std::string completion_script(const CommandText& program, std::string_view shell);

}  // namespace base
