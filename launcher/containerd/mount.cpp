#include "launcher/containerd/mount.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <cerrno>
#include <cstdlib>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

namespace launcher {
namespace {

constexpr unsigned long kHarmless = MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID;

std::optional<std::string> option_value(const Mount& mount, std::string_view name) {
  for (const std::string& option : mount.options) {
    if (option.starts_with(std::string(name) + "=")) return option.substr(name.size() + 1);
  }
  return std::nullopt;
}

/// An overlay that is still written to elsewhere may not be mounted a second time with its upper folder as such; as the
/// highest of the lower folders it shows the same.
std::string overlay_data(const Mount& mount) {
  const auto lower = option_value(mount, "lowerdir");
  const auto upper = option_value(mount, "upperdir");
  if (!lower) throw base::Error("containerd gave an overlay mount without lowerdir");
  return "lowerdir=" + (upper ? *upper + ":" : std::string()) + *lower;
}

void mount_at(const Mount& mount, const std::filesystem::path& path) {
  if (mount.type == "overlay") {
    const std::string data = overlay_data(mount);
    if (::mount("overlay", path.c_str(), "overlay", kHarmless, data.c_str()) != 0) {
      throw base::SystemError("mounting the image's file system", errno);
    }
    return;
  }
  if (mount.type != "bind") throw base::Error("containerd gave a mount of the unsupported type " + mount.type);
  if (::mount(mount.source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw base::SystemError("mounting the image's file system", errno);
  }
  // A bind mount takes its flags only when it is mounted anew (mount(2)).
  if (::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | kHarmless, nullptr) != 0) {
    const int code = errno;
    ::umount2(path.c_str(), MNT_DETACH);
    throw base::SystemError("mounting the image's file system read-only", code);
  }
}

}  // namespace

ReadonlyMount::ReadonlyMount(const std::vector<Mount>& mounts) {
  if (mounts.size() != 1) throw base::Error("containerd gave a snapshot of not exactly one mount");
  std::string folder = (std::filesystem::temp_directory_path() / "cs-launcher-rootfs.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw base::SystemError("making " + folder, errno);
  try {
    mount_at(mounts.front(), folder);
  } catch (...) {
    ::rmdir(folder.c_str());
    throw;
  }
  path_ = folder;
}

ReadonlyMount::~ReadonlyMount() {
  if (::umount2(path_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 || ::rmdir(path_.c_str()) != 0) {
    base::log::warning("the image's file system stays mounted", {{"path", path_.string()}});
  }
}

}  // namespace launcher
