#include "launcher/container/mount_points.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "launcher/container/image_path.h"
#include "launcher/plan/runtime_spec.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;
using base::InvalidInput;

// Else an operator's mistake would be told as the image's.
static_assert(kMaxMountDepth <= kMaxImageDepth);

/// The files of the host that are mounted over files of the image.
bool is_file_mount(std::string_view destination) {
  return destination == "/etc/hosts" || destination == "/etc/resolv.conf";
}

bool is_launchers_folder(std::string_view destination) { return destination == kContainerRuntimeDirectory; }

/// Not the operator's wish, nor one of the kernel's file systems, which hold what the runtime itself makes.
bool may_be_led(std::string_view destination) {
  return destination == "/run" || is_launchers_folder(destination) || is_file_mount(destination);
}

/// Behind a mount that is there already nothing of the image is left.
bool lies_below(const fs::path& inner, const fs::path& outer) {
  const auto [end_of_outer, next] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end_of_outer == outer.end() && next != inner.end();
}

[[noreturn]] void refuse(const fs::path& place, const std::string& reason) {
  throw InvalidInput("image", place.string() + " " + reason);
}

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
  const auto is_covered = [&](const fs::path& place) {
    return std::ranges::any_of(mounted, [&](const fs::path& earlier) { return lies_below(place, earlier); });
  };
  if (is_covered(wanted)) return wanted;
  const bool is_file = is_file_mount(wanted.native());
  const fs::path folder = is_file ? wanted.parent_path() : wanted;
  const auto refuse_unless_led = [&](const fs::path& link) {
    if (!may_be_led(wanted.native())) refuse(link, "is a symbolic link, but something is to be mounted there");
  };
  const ImagePathRules rules{
      .field = "image: " + folder.string(), .on_link = refuse_unless_led, .is_covered = is_covered};
  const fs::path found = find_in_image(root, folder, rules).path;
  if (!base::is_utf8(found.native())) refuse(folder, "leads to a name that is not UTF-8");
  if (found != folder && !is_launchers_folder(wanted.native())) expect_free(folder, found, mounted);
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
