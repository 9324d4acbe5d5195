#include "launcher/policy/privilege_policy.h"

namespace launcher {
namespace {

constexpr const char* kAllowCapabilities = "tee.launch_policy.allow_capabilities";
constexpr const char* kAllowCgroups = "tee.launch_policy.allow_cgroups";
constexpr const char* kNonrootLabel = "tee.launch_policy.nonroot_container";

}  // namespace

PrivilegePolicy PrivilegePolicy::read(LabelReader& reader) {
  if (reader.boolean(kNonrootLabel))
    reader.problems().add(std::string(kNonrootLabel) + ": containers in a user namespace are not supported yet");
  return {.allow_capabilities = reader.boolean(kAllowCapabilities), .allow_cgroups = reader.boolean(kAllowCgroups)};
}

void PrivilegePolicy::verify(const LaunchSpec& spec, Problems& problems) const {
  if (!spec.added_capabilities.empty() && !allow_capabilities)
    problems.add(std::string("additional capabilities are not allowed (") + kAllowCapabilities + ")");
  if (spec.cgroup_namespace && !allow_cgroups)
    problems.add(std::string("cgroups usage is not allowed (") + kAllowCgroups + ")");
}

}  // namespace launcher
