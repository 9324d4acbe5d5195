#pragma once

#include <string>
#include <vector>

#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// tee.launch_policy.allow_mount_destinations: folders at and below which the operator may mount something.
struct MountPolicy {
  std::vector<std::string> allowed = {};  ///< clean paths

  static MountPolicy read(LabelReader& reader);
  void verify(const LaunchSpec& spec, Problems& problems) const;
};

}  // namespace launcher
