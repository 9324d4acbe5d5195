#pragma once

#include <filesystem>

namespace launcher {

/// Whether the kernel was started as that of a hardened image, by the words of `command_line` (/proc/cmdline): what the
/// image says of itself. A verifier reads it in the boot log.
bool is_hardened(const std::filesystem::path& command_line);

}  // namespace launcher
