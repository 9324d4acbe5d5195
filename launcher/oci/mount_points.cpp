#include "launcher/oci/mount_points.h"

#include <string>

#include "base/error.h"

namespace launcher {
namespace {

/// The files of the host that are mounted over files of the image.
bool is_file_mount(const base::Json& mount) {
  const std::string destination = mount.at("destination").get<std::string>();
  return destination == "/etc/hosts" || destination == "/etc/resolv.conf";
}

void expect_no_link(const std::filesystem::path& root, const std::filesystem::path& inside) {
  std::filesystem::path walked;
  for (const std::filesystem::path& part : inside.relative_path()) {
    walked /= part;
    std::error_code code;
    const auto status = std::filesystem::symlink_status(root / walked, code);
    if (status.type() == std::filesystem::file_type::not_found) return;
    if (code) throw base::SystemError("inspecting /" + walked.string() + " of the image", code.value());
    if (status.type() == std::filesystem::file_type::symlink) {
      throw base::InvalidInput("image",
                               "/" + walked.string() + " is a symbolic link, but something is to be mounted there");
    }
  }
}

}  // namespace

void check_mount_points(const std::filesystem::path& root, const base::Json& runtime_spec) {
  for (const base::Json& mount : runtime_spec.at("mounts")) {
    const std::filesystem::path destination = mount.at("destination").get<std::string>();
    expect_no_link(root, is_file_mount(mount) ? destination.parent_path() : destination);
  }
}

}  // namespace launcher
