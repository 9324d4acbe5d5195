#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace launcher {

/// One line of /proc/PID/mountinfo (proc(5)).
struct MountEntry {
  std::uint64_t id = 0;
  std::uint64_t parent_id = 0;
  dev_t device = 0;         ///< st_dev of the files on it
  std::string root;         ///< which folder of the file system is mounted
  std::string mount_point;  ///< as seen from the process's root
  std::string type;
  std::string source;
  std::vector<std::string> options;        ///< of this mount: ro, nosuid, ...
  std::vector<std::string> super_options;  ///< of the file system, wherever it is mounted

  bool has_option(std::string_view option) const;
  bool has_super_option(std::string_view option) const;
};

inline constexpr std::size_t kMaxMountTableBytes = std::size_t{1} << 20U;

/// What is mounted where, in the mount namespace of a process.
class MountTable {
 public:
  /// Text in the format of /proc/PID/mountinfo; throws InvalidInput.
  static MountTable parse(std::string_view text);
  /// That of this process; throws SystemError as well.
  static MountTable of_this_process();
  /// The entry of this process's mount at `mount_point` that was made last, whatever else is mounted; nothing when
  /// there is none.
  static std::optional<MountEntry> last_mount_at(const std::filesystem::path& mount_point);

  /// The mount on which the absolute, normal `path` lies. Mounts may lie on top of each other and cover what is mounted
  /// below; the table is walked as the kernel walks the path. Null when there is no root.
  const MountEntry* mount_of(const std::filesystem::path& path) const;

  const std::vector<MountEntry>& entries() const noexcept { return entries_; }

 private:
  const MountEntry* root() const;
  const MountEntry* top_of(const MountEntry* below, const std::string& mount_point) const;

  std::vector<MountEntry> entries_;
};

}  // namespace launcher
