#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

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

/// A snapshot mounted read-only, without devices, programs and set-user-id bits, for as long as this lives. It stands
/// in no folder: only this process gets at it, and it goes with this process, however that ends. All layers are mounted
/// or none. Throws base::Error, which names the number of layers where that is the reason.
class ReadonlyMount {
 public:
  explicit ReadonlyMount(const std::vector<Mount>& mounts);
  ReadonlyMount(const ReadonlyMount&) = delete;
  ReadonlyMount& operator=(const ReadonlyMount&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  base::FileDescriptor root_;
  std::filesystem::path path_;  ///< of the descriptor
};

}  // namespace launcher
