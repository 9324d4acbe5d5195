#pragma once

#include "launcher/policy/gate.h"
#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// tee.launch_policy.log_redirect.
struct OutputPolicy {
  Gate log_redirect = Gate::kDebugOnly;

  static OutputPolicy read(LabelReader& reader);
  void verify(const LaunchSpec& spec, bool hardened, Problems& problems) const;
};

}  // namespace launcher
