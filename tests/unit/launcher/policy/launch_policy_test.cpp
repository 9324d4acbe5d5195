#include "launcher/policy/launch_policy.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::LaunchPolicy;
using launcher::LaunchSpec;

TEST_CASE("without labels the plainest launch is allowed, on every image") {
  const LaunchPolicy policy = LaunchPolicy::parse({});
  CHECK_NOTHROW(policy.verify(test::some_spec(), true));
  CHECK_NOTHROW(policy.verify(test::some_spec(), false));
}

TEST_CASE("all that an author has to mend is told at once; other labels are ignored") {
  CHECK_THROWS_WITH(
      LaunchPolicy::parse({{"tee.launch_policy.allow_cmd_override", "x"}, {"tee.launch_policy.log_redirect", "x"}}),
      "failed to parse image Launch Policy: invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a "
      "boolean): contact the image author; invalid image LABEL 'tee.launch_policy.log_redirect': contact the image "
      "author");
  CHECK_NOTHROW(LaunchPolicy::parse({{"containerd.io/x", "y"}, {"tee.launch_policy.unknown", "z"}}));
}

TEST_CASE("the log shows what an image lets its operator do") {
  const base::Json policy = LaunchPolicy::parse({{"tee.launch_policy.allow_env_override", "B,A"},
                                                 {"tee.launch_policy.log_redirect", "ALWAYS"},
                                                 {"tee.launch_policy.debug_monitoring", "all"}})
                                .loggable();
  CHECK(policy["AllowedEnvOverride"] == base::Json({"A", "B"}));
  CHECK(policy["AllowedLogRedirect"] == "always");
  CHECK(policy["HardenedImageMonitoring"] == "none");
  CHECK(policy["DebugImageMonitoring"] == "all");
  CHECK(policy["AllowedCmdOverride"] == false);
}

TEST_CASE("all that is not allowed is told at once, in the contract's order") {
  LaunchSpec spec = test::some_spec();
  spec.env = {{"A", ""}};
  spec.cmd = {"a"};
  spec.log_redirect = launcher::LogRedirect::kAll;
  spec.monitoring = launcher::Monitoring::kAll;
  spec.tmpfs_mounts = {{.destination = "/d"}};
  spec.added_capabilities = {"CAP_SYS_PTRACE"};
  spec.cgroup_namespace = true;
  const std::vector<std::string> in_order = {"env var {A }",      "CMD is not",        "logging redirection",
                                             "monitoring config", "destination mount", "additional capabilities",
                                             "cgroups usage"};
  std::string error;
  try {
    LaunchPolicy::parse({}).verify(spec, true);
  } catch (const base::Error& thrown) {
    error = thrown.what();
  }
  std::size_t place = 0;
  for (const std::string& part : in_order) {
    CAPTURE(part, error);
    const std::size_t found = error.find(part, place);
    REQUIRE(found != std::string::npos);
    place = found;
  }
  CHECK_NOTHROW(LaunchPolicy::parse({{"tee.launch_policy.allow_cmd_override", "true"},
                                     {"tee.launch_policy.allow_env_override", "A"},
                                     {"tee.launch_policy.log_redirect", "always"},
                                     {"tee.launch_policy.hardened_monitoring", "all"},
                                     {"tee.launch_policy.allow_mount_destinations", "/d"},
                                     {"tee.launch_policy.allow_capabilities", "true"},
                                     {"tee.launch_policy.allow_cgroups", "true"}})
                    .verify(spec, true));
}

TEST_CASE("misspelt labels of the policy are told, and known and others' are not") {
  launcher::ImageLabels labels = {{"maintainer", "me"}, {"org.opencontainers.image.title", "x"}};
  for (const char* known :
       {"allow_cmd_override", "allow_env_override", "log_redirect", "monitoring_memory_allow", "hardened_monitoring",
        "debug_monitoring", "allow_mount_destinations", "allow_capabilities", "allow_cgroups", "nonroot_container"}) {
    labels[std::string("tee.launch_policy.") + known] = "x";
    // Alone as well, since some decide whether others are looked at.
    CHECK(launcher::LaunchPolicy::unknown_labels({{std::string("tee.launch_policy.") + known, "x"}}).empty());
  }
  CHECK(launcher::LaunchPolicy::unknown_labels(labels).empty());
  labels["tee.launch_policy.allow_env_overide"] = "GREETING";
  CHECK(launcher::LaunchPolicy::unknown_labels(labels) ==
        std::vector<std::string>{"tee.launch_policy.allow_env_overide"});
}
