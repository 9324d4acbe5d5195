#include "launcher/container/mount_points.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"

namespace launcher {
namespace {

/// The files of the host that are mounted over files of the image.
bool is_file_mount(const base::Json& mount) {
  const std::string destination = mount.at("destination").get<std::string>();
  return destination == "/etc/hosts" || destination == "/etc/resolv.conf";
}

/// Behind a mount that is there already nothing of the image is left.
bool lies_below(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto [end_of_outer, next] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end_of_outer == outer.end() && next != inner.end();
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
  std::vector<std::filesystem::path> mounted;
  for (const base::Json& mount : runtime_spec.at("mounts")) {
    const auto destination = std::filesystem::path(mount.at("destination").get<std::string>()).lexically_normal();
    const bool is_covered =
        std::ranges::any_of(mounted, [&](const auto& earlier) { return lies_below(destination, earlier); });
    if (!is_covered) expect_no_link(root, is_file_mount(mount) ? destination.parent_path() : destination);
    mounted.push_back(destination);
  }
}

}  // namespace launcher
