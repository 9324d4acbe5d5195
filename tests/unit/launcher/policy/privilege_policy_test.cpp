#include "launcher/policy/privilege_policy.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::PrivilegePolicy;
using test::violations;

TEST_CASE("capabilities and cgroups take the author's word, each its own") {
  constexpr const char* kCapabilities = "tee.launch_policy.allow_capabilities";
  constexpr const char* kCgroups = "tee.launch_policy.allow_cgroups";
  CHECK(violations<PrivilegePolicy>({}, test::some_spec()).empty());
  launcher::LaunchSpec spec = test::some_spec();
  spec.added_capabilities = {"CAP_SYS_PTRACE"};
  spec.cgroup_namespace = true;
  const std::string capabilities = "additional capabilities are not allowed (tee.launch_policy.allow_capabilities)";
  const std::string cgroups = "cgroups usage is not allowed (tee.launch_policy.allow_cgroups)";
  CHECK(violations<PrivilegePolicy>({}, spec) == capabilities + "; " + cgroups);
  CHECK(violations<PrivilegePolicy>({{kCapabilities, "true"}}, spec) == cgroups);
  CHECK(violations<PrivilegePolicy>({{kCgroups, "true"}}, spec) == capabilities);
  CHECK(violations<PrivilegePolicy>({{kCapabilities, "1"}, {kCgroups, "1"}}, spec).empty());
}

TEST_CASE("an image that wants a user namespace is refused by the label's name") {
  constexpr const char* kNonroot = "tee.launch_policy.nonroot_container";
  CHECK_THAT(test::read_policy<PrivilegePolicy>({{kNonroot, "true"}}).problems, StartsWith(kNonroot));
  CHECK(test::read_policy<PrivilegePolicy>({{kNonroot, "false"}}).problems.empty());
  CHECK(test::read_policy<PrivilegePolicy>({{kNonroot, "x"}}).problems ==
        "invalid image LABEL 'tee.launch_policy.nonroot_container' (not a boolean): contact the image author");
}
