#include "launcher/policy/override_policy.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::LaunchSpec;
using launcher::OverridePolicy;
using test::violations;

namespace {

constexpr const char* kCmd = "tee.launch_policy.allow_cmd_override";
constexpr const char* kEnv = "tee.launch_policy.allow_env_override";

}  // namespace

TEST_CASE("nothing may be overridden unless the author says so") {
  CHECK(violations<OverridePolicy>({}, test::some_spec()).empty());
  LaunchSpec cmd = test::some_spec();
  cmd.cmd = {"a"};
  const std::string refused =
      "CMD is not allowed to be overridden on this image (tee.launch_policy.allow_cmd_override)";
  CHECK(violations<OverridePolicy>({}, cmd) == refused);
  CHECK(violations<OverridePolicy>({{kCmd, "false"}}, cmd) == refused);
  CHECK(violations<OverridePolicy>({{kCmd, "true"}}, cmd).empty());
}

TEST_CASE("a variable that may not be overridden is named, its value is not") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"ALLOWED", "v"}, {"OUT", "canary"}};
  CHECK(violations<OverridePolicy>({{kEnv, "ALLOWED"}}, spec) ==
        "env var {OUT [REDACTED]} is not allowed to be overridden on this image; allowed envs to be overridden: "
        "[ALLOWED] (tee.launch_policy.allow_env_override)");
  CHECK(violations<OverridePolicy>({{kEnv, "OUT,,ALLOWED"}}, spec).empty());
  CHECK_FALSE(violations<OverridePolicy>({{kEnv, " OUT,ALLOWED"}}, spec).empty());  // names are not trimmed
  CHECK_FALSE(violations<OverridePolicy>({{kEnv, "out,ALLOWED"}}, spec).empty());
  CHECK_FALSE(violations<OverridePolicy>({{kEnv, ""}}, spec).empty());
}

TEST_CASE("variables and command are told together") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"A", ""}, {"B", ""}};
  spec.cmd = {"a"};
  CHECK_THAT(violations<OverridePolicy>({}, spec), ContainsSubstring("env var {A }") &&
                                                       ContainsSubstring("env var {B }") &&
                                                       ContainsSubstring("CMD is not allowed"));
}

TEST_CASE("whether a command may be overridden is a boolean") {
  CHECK(test::read_policy<OverridePolicy>({{kCmd, "maybe"}}).problems ==
        "invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a boolean): contact the image author");
}
