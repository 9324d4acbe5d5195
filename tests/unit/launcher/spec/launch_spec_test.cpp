#include "launcher/spec/launch_spec.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::Attributes;
using launcher::LaunchSpec;
using launcher::RestartPolicy;

namespace {

const Attributes kMinimal = {{"tee-image-reference", "registry.example/x"}};

Attributes with(const std::string& key, const std::string& value) {
  Attributes attributes = kMinimal;
  attributes[key] = value;
  return attributes;
}

std::string error_of(const Attributes& attributes) {
  try {
    LaunchSpec::parse(attributes, {});
    return "";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("an image is all that is needed") {
  const LaunchSpec spec = LaunchSpec::parse(kMinimal, {});
  CHECK(spec.image.name() == "registry.example/x:latest");
  CHECK(spec.restart_policy == RestartPolicy::kNever);
  CHECK_FALSE(spec.cmd.has_value());
  CHECK(spec.env.empty());
  CHECK(error_of({}) == "tee-image-reference is not specified in the custom metadata");
  CHECK(error_of({{"tee-image-reference", ""}}) == "tee-image-reference is not specified in the custom metadata");
}

TEST_CASE("restart policies are written exactly so") {
  const auto policy_of = [](const std::string& text) {
    return LaunchSpec::parse(with("tee-restart-policy", text), {}).restart_policy;
  };
  CHECK(policy_of("Always") == RestartPolicy::kAlways);
  CHECK(policy_of("OnFailure") == RestartPolicy::kOnFailure);
  CHECK(policy_of("Never") == RestartPolicy::kNever);
  CHECK(policy_of("") == RestartPolicy::kNever);
  CHECK(error_of(with("tee-restart-policy", "always")) == "tee-restart-policy: invalid restart policy: always");
}

TEST_CASE("every family of attributes comes into the specification") {
  const LaunchSpec spec = LaunchSpec::parse({{"tee-image-reference", "x"},
                                             {"tee-cmd", R"(["a"])"},
                                             {"tee-env-A", "1"},
                                             {"tee-mount", "type=tmpfs,source=tmpfs,destination=/d"},
                                             {"tee-dev-shm-size-kb", "128"},
                                             {"tee-added-capabilities", R"(["CAP_SYS_PTRACE"])"},
                                             {"tee-cgroup-ns", "true"}},
                                            {});
  CHECK(spec.cmd == std::vector<std::string>{"a"});
  CHECK(spec.env == std::map<std::string, std::string>{{"A", "1"}});
  CHECK(spec.tmpfs_mounts.size() == 1);
  CHECK(spec.dev_shm_kb == 128);
  CHECK(spec.added_capabilities == std::vector<std::string>{"CAP_SYS_PTRACE"});
  CHECK(spec.cgroup_namespace);
}

TEST_CASE("an attestation service is one of the machine's") {
  const launcher::MachineOffer machine{
      .services = {{.name = "first", .url = "https://a.example"}, {.name = "second", .url = "https://b.example"}}};
  CHECK(LaunchSpec::parse(kMinimal, machine).service.name == "first");
  CHECK(LaunchSpec::parse(with("tee-attestation-service", "second"), machine).service.url == "https://b.example");
  CHECK_THROWS_WITH(LaunchSpec::parse(with("tee-attestation-service", "third"), machine),
                    ContainsSubstring("tee-attestation-service: unknown attestation service"));
}

TEST_CASE("all that is wrong is told at once, each by its name") {
  const std::string error = error_of({{"tee-restart-policy", "x"},
                                      {"tee-cmd", "x"},
                                      {"tee-env-1", ""},
                                      {"tee-mount", "x"},
                                      {"tee-cgroup-ns", ""},
                                      {"test-fake-verifier", "true"}});
  for (const char* name : {"tee-image-reference", "tee-restart-policy", "tee-cmd", "tee-env-1", "tee-mount",
                           "tee-cgroup-ns", "test-fake-verifier"}) {
    CHECK_THAT(error, ContainsSubstring(name));
  }
}

TEST_CASE("more than the machine can give is told beside what is wrong") {
  Attributes attributes = with("tee-dev-shm-size-kb", "128");
  attributes["tee-added-capabilities"] = R"(["CAP_SYS_PTRACE"])";
  attributes["tee-restart-policy"] = "x";
  try {
    LaunchSpec::parse(attributes, {.available_kb = 127, .capabilities = 0});
    FAIL("no error");
  } catch (const base::Error& error) {
    CHECK_THAT(error.what(), ContainsSubstring("invalid restart policy") && ContainsSubstring("/dev/shm size (128)") &&
                                 ContainsSubstring("[CAP_SYS_PTRACE]"));
  }
}

TEST_CASE("what asks for nothing is nothing, and what nobody knows is ignored") {
  struct Row {
    const char* key;
    const char* value;
  };
  for (const Row& row :
       {Row{"gca-service-env", "prod"}, Row{"tee-added-capabilities", "[]"}, Row{"tee-monitoring-enable", "None"},
        Row{"tee-install-gpu-driver", "yes"}, Row{"tee-cmd", "null"}, Row{"test-fake-verifier", "false"},
        Row{"tee-container-log-redirect", "false"}, Row{"tee-mount", ""}, Row{"something-else", "x"}}) {
    CAPTURE(row.key);
    CHECK(error_of(with(row.key, row.value)).empty());
  }
}

TEST_CASE("the log shows that a secret is there, never its value") {
  const LaunchSpec spec =
      LaunchSpec::parse({{"tee-image-reference", "x"}, {"tee-env-KEY", "canary"}, {"tee-env-NONE", ""}}, {});
  const std::string text = spec.loggable().dump();
  CHECK_THAT(text, !ContainsSubstring("canary"));
  CHECK_THAT(text, ContainsSubstring(R"("KEY":"[REDACTED]")"));
  CHECK_THAT(text, ContainsSubstring(R"("NONE":"")"));
}
