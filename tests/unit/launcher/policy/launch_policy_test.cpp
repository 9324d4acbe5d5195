#include "launcher/policy/launch_policy.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::LaunchPolicy;
using launcher::LaunchSpec;

namespace {

constexpr const char* kCmd = "tee.launch_policy.allow_cmd_override";
constexpr const char* kEnv = "tee.launch_policy.allow_env_override";

std::string error_of(const std::map<std::string, std::string>& labels, const LaunchSpec& spec) {
  try {
    LaunchPolicy::parse(labels).verify(spec);
    return "";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("nothing may be overridden unless the author says so") {
  CHECK(error_of({}, test::some_spec()).empty());
  LaunchSpec cmd = test::some_spec();
  cmd.cmd = {"a"};
  CHECK(error_of({}, cmd) == "CMD is not allowed to be overridden on this image");
  CHECK(error_of({{kCmd, "false"}}, cmd) == "CMD is not allowed to be overridden on this image");
  CHECK(error_of({{kCmd, "true"}}, cmd).empty());
}

TEST_CASE("a variable that may not be overridden is named, its value is not") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"ALLOWED", "v"}, {"OUT", "canary"}};
  CHECK(error_of({{kEnv, "ALLOWED"}}, spec) ==
        "env var {OUT [REDACTED]} is not allowed to be overridden on this image; allowed envs to be overridden: "
        "[ALLOWED]");
  CHECK(error_of({{kEnv, "OUT,,ALLOWED"}}, spec).empty());
  CHECK_FALSE(error_of({{kEnv, " OUT,ALLOWED"}}, spec).empty());  // names are not trimmed
  CHECK_FALSE(error_of({{kEnv, "out,ALLOWED"}}, spec).empty());
  CHECK_FALSE(error_of({{kEnv, ""}}, spec).empty());
}

TEST_CASE("variables are judged before the command") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"A", ""}};
  spec.cmd = {"a"};
  CHECK_THAT(error_of({}, spec), ContainsSubstring("env var {A }"));
}

TEST_CASE("booleans are Go's, anything else is the author's to mend") {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"})
    CHECK(LaunchPolicy::parse({{kCmd, text}}).allow_cmd_override);
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"})
    CHECK_FALSE(LaunchPolicy::parse({{kCmd, text}}).allow_cmd_override);
  for (const char* text : {"", "yes", "tRUE", " true"}) {
    CHECK_THROWS_WITH(
        LaunchPolicy::parse({{kCmd, text}}),
        "failed to parse image Launch Policy: invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a "
        "boolean): contact the image author");
  }
  CHECK_NOTHROW(LaunchPolicy::parse({{"containerd.io/x", "y"}, {"tee.launch_policy.unknown", "z"}}));
}
