#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace launcher {

/// As whom a process runs (OCI runtime spec, config.md, "POSIX-platform User").
struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids = {};  ///< sorted, `gid` among them
};

/// Limits of the image's /etc/passwd and /etc/group, which are as hostile as the image.
inline constexpr std::size_t kMaxAccountFileBytes = std::size_t{1} << 20U;

/// Turns an image's `user` ("", uid, name, either with ":" and a gid or a group's name) into numbers, with /etc/passwd
/// and /etc/group below `root`. A part that is empty is the default, as in Docker: root, and the user's own group. No
/// symbolic link leads out of `root`, and nothing but a regular file is opened. A
/// number needs no entry. Throws InvalidInput.
User resolve_user(const std::filesystem::path& root, std::string_view user);

}  // namespace launcher
