#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// What execve(2) and chdir(2) of Linux take. A program that is given more is not executed, and nothing says why.

/// One argument or NAME=VALUE with the NUL behind it: MAX_ARG_STRLEN of include/uapi/linux/binfmts.h.
inline constexpr std::size_t kMaxStringBytes = 131072;
/// All of them together, each with its NUL and a pointer, and the program's path: a quarter of RLIMIT_STACK, which is
/// 8 MiB unless somebody has changed it for containerd.
inline constexpr std::size_t kMaxProcessBytes = std::size_t{2} << 20U;

/// A path with its final NUL, and the name of one file: PATH_MAX and NAME_MAX of include/uapi/linux/limits.h.
inline constexpr std::size_t kMaxPathBytes = 4096;
inline constexpr std::size_t kMaxNameBytes = 255;

/// Throws InvalidInput(`field`) for a path that is too long for a system call, as a whole or in one of its names.
void check_path(std::string_view path, std::string_view field);

/// Throws InvalidInput(`field`) for a string of `bytes`, without the NUL, that is too long for execve.
void check_string_bytes(std::size_t bytes, std::string_view field);

/// Throws InvalidInput when `args` and `env` together are too much for execve.
void check_process_bytes(const std::vector<std::string>& args, const std::vector<std::string>& env);

}  // namespace base
