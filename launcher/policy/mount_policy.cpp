#include "launcher/policy/mount_policy.h"

#include <algorithm>

#include "launcher/spec/lists.h"

namespace launcher {
namespace {

constexpr const char* kAllowed = "tee.launch_policy.allow_mount_destinations";

}  // namespace

MountPolicy MountPolicy::read(LabelReader& reader) {
  MountPolicy policy;
  for (const std::string& path : reader.list(kAllowed, ':')) {
    if (path.front() != '/') {
      reader.problems().add("received a non-absolute allowed destination path: " + shown(path) + " (" + kAllowed +
                            "): contact the image author");
      continue;
    }
    policy.allowed.push_back(clean_path(path));
  }
  return policy;
}

void MountPolicy::verify(const LaunchSpec& spec, Problems& problems) const {
  for (const TmpfsMount& mount : spec.tmpfs_mounts) {
    const auto holds = [&](const std::string& folder) { return is_at_or_below(mount.destination, folder); };
    if (std::ranges::any_of(allowed, holds)) continue;
    problems.add("destination mount points are not allowed: destination mount point \"" + shown(mount.destination) +
                 "\" is invalid: policy only allows mounts in the following paths: [" + joined_briefly(allowed) +
                 "] (" + kAllowed + ")");
  }
}

}  // namespace launcher
