#pragma once

#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// tee.launch_policy.allow_capabilities and .allow_cgroups.
struct PrivilegePolicy {
  bool allow_capabilities = false;
  bool allow_cgroups = false;

  static PrivilegePolicy read(LabelReader& reader);
  void verify(const LaunchSpec& spec, Problems& problems) const;
};

}  // namespace launcher
