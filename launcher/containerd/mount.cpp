#include "launcher/containerd/mount.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <thread>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "launcher/host/mount_table.h"

namespace launcher {
namespace {

/// What separates folders, options and escapes in an overlay's options.
constexpr std::string_view kOverlaySyntax = ":,\\";
constexpr unsigned long kHarmless = MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID;

std::optional<std::string> option_value(const Mount& mount, std::string_view name) {
  for (const std::string& option : mount.options) {
    if (option.starts_with(std::string(name) + "=")) return option.substr(name.size() + 1);
  }
  return std::nullopt;
}

/// The folders of an overlay from the highest to the lowest. One that is still written to elsewhere may not be mounted
/// a second time with its upper folder as such; as the highest of the lower folders it shows the same.
std::vector<std::string> overlay_folders(const Mount& mount) {
  const auto lower = option_value(mount, "lowerdir");
  const auto upper = option_value(mount, "upperdir");
  if (!lower) throw base::Error("containerd gave an overlay mount without lowerdir");
  std::vector<std::string> folders;
  if (upper) folders.push_back(*upper);
  for (std::size_t begin = 0; begin <= lower->size();) {
    const std::size_t end = std::min(lower->find(':', begin), lower->size());
    folders.push_back(lower->substr(begin, end - begin));
    begin = end + 1;
  }
  if (folders.size() > kMaxOverlayFolders) {
    throw base::Error("an image of " + std::to_string(folders.size()) +
                      " layers cannot be mounted: the kernel stacks " + std::to_string(kMaxOverlayFolders));
  }
  return folders;
}

/// The folder below which all `folders` lie, with a slash at its end.
std::string common_folder(const std::vector<std::string>& folders) {
  std::string_view common = folders.front();
  for (const std::string& folder : folders) {
    const auto differ = std::ranges::mismatch(common, folder);
    common = common.substr(0, static_cast<std::size_t>(differ.in1 - common.begin()));
  }
  if (!common.starts_with('/')) throw base::Error("containerd gave an overlay of folders that are not absolute");
  return std::string(common.substr(0, common.rfind('/') + 1));
}

/// lowerdir=A:B:C, relative to `common`. mount(2) cuts what is longer than kMaxMountDataBytes without a word, and what
/// is left may be a mount that lacks the lower layers: such a string never leaves this function.
std::string overlay_data(const std::vector<std::string>& folders, const std::string& common) {
  std::string data = "lowerdir=";
  for (const std::string& folder : folders) {
    const std::string_view name = std::string_view(folder).substr(common.size());
    if (name.empty() || name.find_first_of(kOverlaySyntax) != std::string_view::npos) {
      throw base::Error("containerd gave an overlay of folders with names that cannot be mounted");
    }
    data.append(name).append(":");
  }
  data.pop_back();
  if (data.size() > kMaxMountDataBytes) {
    throw base::Error("an image of " + std::to_string(folders.size()) +
                      " layers cannot be mounted: the names of their " + "folders take " + std::to_string(data.size()) +
                      " bytes, the kernel takes " + std::to_string(kMaxMountDataBytes));
  }
  return data;
}

/// Mounts an overlay whose folders are relative to `common`, from a thread with a working directory of its own. Returns
/// errno, or 0.
int mount_overlay_from(const std::string& common, const std::filesystem::path& path, const std::string& data) {
  int code = 0;
  std::thread([&] {
    const bool mounted = ::unshare(CLONE_FS) == 0 && ::chdir(common.c_str()) == 0 &&
                         ::mount("overlay", path.c_str(), "overlay", kHarmless, data.c_str()) == 0;
    if (!mounted) code = errno;
  }).join();
  return code;
}

/// What the image is judged by must be all of it: the kernel is asked which folders it has taken.
void expect_overlay(const std::filesystem::path& path, const std::string& data) {
  const std::optional<MountEntry> mounted = MountTable::last_mount_at(path);
  if (!mounted || !mounted->has_super_option(data)) {
    throw base::Error("the image's file system is mounted with other folders than it has");
  }
}

void mount_overlay(const Mount& mount, const std::filesystem::path& path) {
  const std::vector<std::string> folders = overlay_folders(mount);
  const std::string common = common_folder(folders);
  const std::string data = overlay_data(folders, common);
  const int code = mount_overlay_from(common, path, data);
  if (code != 0) {
    throw base::SystemError("mounting the image's file system of " + std::to_string(folders.size()) + " layers", code);
  }
  try {
    expect_overlay(path, data);
  } catch (...) {
    ::umount2(path.c_str(), MNT_DETACH);
    throw;
  }
}

void mount_at(const Mount& mount, const std::filesystem::path& path) {
  if (mount.type == "overlay") {
    mount_overlay(mount, path);
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
  const std::filesystem::path above = std::filesystem::canonical(std::filesystem::temp_directory_path());
  std::string folder = (above / "cs-launcher-rootfs.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw base::SystemError("making " + folder, errno);
  try {
    mount_at(mounts.front(), folder);
  } catch (...) {
    ::rmdir(folder.c_str());
    throw;
  }
  root_ = base::FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int opened = root_.get() < 0 ? errno : 0;
  if (::umount2(folder.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 || ::rmdir(folder.c_str()) != 0) {
    base::log::warning("the image's file system stays mounted", {{"path", folder}});
  }
  if (opened != 0) throw base::SystemError("opening the image's file system", opened);
  path_ = "/proc/self/fd/" + std::to_string(root_.get());
}

}  // namespace launcher
