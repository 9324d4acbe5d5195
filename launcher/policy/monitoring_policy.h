#pragma once

#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// tee.launch_policy.hardened_monitoring and .debug_monitoring, or the older .monitoring_memory_allow.
struct MonitoringPolicy {
  Monitoring on_hardened = Monitoring::kNone;
  Monitoring on_debug = Monitoring::kMemoryOnly;

  static MonitoringPolicy read(LabelReader& reader);
  void verify(const LaunchSpec& spec, bool hardened, Problems& problems) const;
};

}  // namespace launcher
