#include "launcher/policy/override_policy.h"

#include "launcher/spec/lists.h"

namespace launcher {
namespace {

constexpr const char* kAllowCmd = "tee.launch_policy.allow_cmd_override";
constexpr const char* kAllowEnv = "tee.launch_policy.allow_env_override";

}  // namespace

OverridePolicy OverridePolicy::read(LabelReader& reader) {
  OverridePolicy policy;
  policy.allow_cmd = reader.boolean(kAllowCmd);
  for (std::string& name : reader.list(kAllowEnv, ',')) policy.allowed_env.insert(std::move(name));
  return policy;
}

void OverridePolicy::verify(const LaunchSpec& spec, Problems& problems) const {
  const std::string allowed = joined_briefly(allowed_env);
  for (const auto& [name, value] : spec.env) {
    if (allowed_env.contains(name)) continue;
    // The value is the operator's secret: it stands in no error.
    problems.add("env var {" + name + (value.empty() ? " " : " [REDACTED]") +
                 "} is not allowed to be overridden on this image; allowed envs to be overridden: [" + allowed + "] (" +
                 kAllowEnv + ")");
  }
  if (spec.cmd && !allow_cmd)
    problems.add(std::string("CMD is not allowed to be overridden on this image (") + kAllowCmd + ")");
}

}  // namespace launcher
