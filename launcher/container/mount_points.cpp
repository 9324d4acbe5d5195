#include "launcher/container/mount_points.h"

#include <algorithm>
#include <list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "launcher/container/runtime_spec.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;
using base::InvalidInput;

/// The files of the host that are mounted over files of the image.
bool is_file_mount(std::string_view destination) {
  return destination == "/etc/hosts" || destination == "/etc/resolv.conf";
}

bool is_in_run(std::string_view destination) { return destination == kContainerRuntimeDirectory; }

/// Not the operator's wish, nor one of the kernel's file systems, which hold what the runtime itself makes.
bool may_be_led(std::string_view destination) {
  return destination == "/run" || is_in_run(destination) || is_file_mount(destination);
}

/// Behind a mount that is there already nothing of the image is left.
bool lies_below(const fs::path& inner, const fs::path& outer) {
  const auto [end_of_outer, next] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end_of_outer == outer.end() && next != inner.end();
}

[[noreturn]] void refuse(const fs::path& place, const std::string& reason) {
  throw InvalidInput("image", place.string() + " " + reason);
}

/// A path of the image, from its root, without links.
class Walk {
 public:
  Walk(const fs::path& root, const fs::path& mount_point, const std::vector<fs::path>& mounted)
      : root_(root), mount_point_(mount_point), mounted_(mounted) {
    for (const fs::path& part : mount_point.relative_path()) ahead_.push_back(part);
  }

  /// Where the mount point is. A link is followed if `follows`, else refused.
  fs::path to_end(bool follows) {
    while (!ahead_.empty()) {
      const fs::path part = ahead_.front();
      ahead_.pop_front();
      if (part == "." || part.empty()) continue;
      if (part == "..") {
        here_ = here_.parent_path();  // of the root, the root
        continue;
      }
      const fs::path next = here_ / part;
      if (!is_link(next)) {
        here_ = next;
      } else if (follows) {
        follow(next);
      } else {
        refuse(next, "is a symbolic link, but something is to be mounted there");
      }
    }
    return here_;
  }

 private:
  fs::path in_image(const fs::path& path) const { return root_ / path.relative_path(); }

  bool is_link(const fs::path& path) const {
    if (std::ranges::any_of(mounted_, [&](const fs::path& earlier) { return lies_below(path, earlier); })) return false;
    std::error_code code;
    const fs::file_status status = fs::symlink_status(in_image(path), code);
    if (status.type() == fs::file_type::not_found) return false;
    if (code) throw base::SystemError("inspecting " + path.string() + " of the image", code.value());
    return status.type() == fs::file_type::symlink;
  }

  void follow(const fs::path& link) {
    if (++links_ > kMaxMountPointLinks) refuse(mount_point_, "leads through too many symbolic links");
    std::error_code code;
    const fs::path target = fs::read_symlink(in_image(link), code);
    if (code) throw base::SystemError("reading the link " + link.string() + " of the image", code.value());
    if (target.is_absolute()) here_ = "/";
    const fs::path relative = target.relative_path();
    ahead_.insert(ahead_.begin(), relative.begin(), relative.end());
  }

  const fs::path& root_;
  const fs::path& mount_point_;
  const std::vector<fs::path>& mounted_;
  fs::path here_ = "/";
  std::list<fs::path> ahead_;
  int links_ = 0;
};

/// What was mounted before where a link leads would be covered, or would hold what is to be the image's. Of the
/// launcher's folder it is meant to be so.
void expect_free(const fs::path& wanted, const fs::path& found, const std::vector<fs::path>& mounted) {
  const auto is_taken = [&](const fs::path& earlier) { return earlier == found || lies_below(found, earlier); };
  if (found == "/" || std::ranges::any_of(mounted, is_taken)) {
    refuse(wanted, "leads to " + found.string() + ", where something else is mounted");
  }
}

/// Where a mount point is, without links.
fs::path settled(const fs::path& root, const fs::path& wanted, const std::vector<fs::path>& mounted) {
  if (std::ranges::any_of(mounted, [&](const fs::path& earlier) { return lies_below(wanted, earlier); })) return wanted;
  const bool is_file = is_file_mount(wanted.native());
  const fs::path folder = is_file ? wanted.parent_path() : wanted;
  const fs::path found = Walk(root, folder, mounted).to_end(may_be_led(wanted.native()));
  if (found != folder && !is_in_run(wanted.native())) expect_free(folder, found, mounted);
  return is_file ? found / wanted.filename() : found;
}

}  // namespace

void settle_mount_points(const fs::path& root, base::Json& runtime_spec) {
  std::vector<fs::path> mounted;
  for (base::Json& mount : runtime_spec.at("mounts")) {
    const auto wanted = fs::path(mount.at("destination").get<std::string>()).lexically_normal();
    mounted.push_back(settled(root, wanted, mounted));
    mount["destination"] = mounted.back().string();
  }
}

}  // namespace launcher
