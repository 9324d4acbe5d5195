#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "firewall/port.h"
#include "launcher/policy/labels.h"
#include "launcher/policy/monitoring_policy.h"
#include "launcher/policy/mount_policy.h"
#include "launcher/policy/output_policy.h"
#include "launcher/policy/override_policy.h"
#include "launcher/policy/privilege_policy.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// What the author of the image lets its operator do, from the image's labels (tee.launch_policy.*), and others do:
/// call the ports that the image exposes.
struct LaunchPolicy {
  OverridePolicy overrides = {};
  OutputPolicy output = {};
  MonitoringPolicy monitoring = {};
  MountPolicy mounts = {};
  PrivilegePolicy privileges = {};
  std::vector<firewall::Port> ports = {};  ///< on which the workload may be called: EXPOSE

  /// Throws Error that starts with "failed to parse image Launch Policy", with all that is wrong. Other labels are
  /// ignored.
  static LaunchPolicy parse(const ImageLabels& labels, const std::vector<std::string>& exposed_ports = {});

  /// Labels that begin as those of the policy do, and mean nothing: misspelt ones.
  static std::vector<std::string> unknown_labels(const ImageLabels& labels);

  base::Json loggable() const;

  /// Throws Error with everything in `spec` that is not allowed.
  void verify(const LaunchSpec& spec, bool hardened) const;
};

}  // namespace launcher
