#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "launcher/plan/runtime_spec.h"

namespace launcher {

/// Limits of the image's /etc/passwd and /etc/group, which are as hostile as the image.
inline constexpr std::size_t kMaxAccountFileBytes = std::size_t{1} << 20U;

/// Turns an image's `user` ("", uid, name, either with ":" and a gid or a group's name) into numbers, with /etc/passwd
/// and /etc/group below `root`. A part that is empty is the default, as in Docker: root, and the user's own group. No
/// symbolic link leads out of `root`, and nothing but a regular file is opened. A
/// number needs no entry. Throws InvalidInput.
User resolve_user(const std::filesystem::path& root, std::string_view user);

}  // namespace launcher
