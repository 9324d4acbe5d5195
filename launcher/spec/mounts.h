#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/spec/attributes.h"

namespace launcher {

/// Where the container sees the launcher's folder.
inline constexpr auto kContainerRuntimeDirectory = "/run/container_launcher";

/// Of tee-mount.
inline constexpr std::size_t kMaxTmpfsMounts = 64;
/// Folders below each other in a destination.
inline constexpr std::size_t kMaxMountDepth = 64;

struct TmpfsMount {
  std::string destination;                       ///< absolute, without . and .., nor a slash at its end
  std::optional<std::uint64_t> size_bytes = {};  ///< half of the memory without it, as the kernel has it
  std::optional<std::uint32_t> uid = {};
  std::optional<std::uint32_t> gid = {};
  std::optional<std::uint32_t> mode = {};

  bool operator==(const TmpfsMount&) const = default;
};

/// tee-mount: "type=tmpfs,source=tmpfs,destination=/x[,size=BYTES][,uid=N][,gid=N][,mode=OCTAL]", several with
/// semicolons between. uid, gid and mode are additions of this launcher's.
std::vector<TmpfsMount> read_tmpfs_mounts(AttributeReader& reader);

/// tee-dev-shm-size-kb.
std::optional<std::uint64_t> read_dev_shm_kb(AttributeReader& reader);

/// What is wrong with these sizes on a machine with so much memory to give: each, and all together.
void check_memory(const std::vector<TmpfsMount>& mounts, std::optional<std::uint64_t> dev_shm_kb,
                  std::uint64_t available_kb, Problems& problems);

/// `path` without . and .., double slashes and one at the end; a slash before it where there is none. Nothing leads
/// above the root.
std::string clean_path(std::string_view path);

/// Whether `path` is `folder` or lies below it; both are clean.
bool is_at_or_below(std::string_view path, std::string_view folder);

}  // namespace launcher
