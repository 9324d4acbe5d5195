#pragma once

#include <set>
#include <string>

#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// tee.launch_policy.allow_cmd_override and .allow_env_override.
struct OverridePolicy {
  bool allow_cmd = false;
  std::set<std::string> allowed_env = {};

  static OverridePolicy read(LabelReader& reader);
  void verify(const LaunchSpec& spec, Problems& problems) const;
};

}  // namespace launcher
