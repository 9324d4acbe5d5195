#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace launcher {

/// How a snapshot is mounted, as containerd says it (api/types/mount.proto).
struct Mount {
  std::string type;
  std::string source;
  std::vector<std::string> options;
};

/// A snapshot mounted read-only, without devices, programs and set-user-id bits, in a private folder of its own for as
/// long as this lives. Throws SystemError.
class ReadonlyMount {
 public:
  explicit ReadonlyMount(const std::vector<Mount>& mounts);
  ReadonlyMount(const ReadonlyMount&) = delete;
  ReadonlyMount& operator=(const ReadonlyMount&) = delete;
  ~ReadonlyMount();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace launcher
