#pragma once

#include <cstddef>
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

/// mount(2) takes a page of options with the NUL at its end, and cuts what is longer without an error.
inline constexpr std::size_t kMaxMountDataBytes = 4095;
/// The folders that overlayfs stacks (OVL_MAX_STACK): the container's own and those of the image's layers.
inline constexpr std::size_t kMaxOverlayFolders = 500;

/// A snapshot mounted read-only, without devices, programs and set-user-id bits, in a private folder of its own for as
/// long as this lives. All layers are mounted or none. Throws base::Error, which names the number of layers where that
/// is the reason.
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
