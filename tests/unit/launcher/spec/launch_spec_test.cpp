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
    LaunchSpec::parse(attributes);
    return "";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("an image is all that is needed") {
  const LaunchSpec spec = LaunchSpec::parse(kMinimal);
  CHECK(spec.image.name() == "registry.example/x:latest");
  CHECK(spec.restart_policy == RestartPolicy::kNever);
  CHECK_FALSE(spec.cmd.has_value());
  CHECK(spec.env.empty());
  CHECK(error_of({}) == "tee-image-reference is not specified in the custom metadata");
  CHECK(error_of({{"tee-image-reference", ""}}) == "tee-image-reference is not specified in the custom metadata");
}

TEST_CASE("restart policies are written exactly so") {
  CHECK(LaunchSpec::parse(with("tee-restart-policy", "Always")).restart_policy == RestartPolicy::kAlways);
  CHECK(LaunchSpec::parse(with("tee-restart-policy", "OnFailure")).restart_policy == RestartPolicy::kOnFailure);
  CHECK(LaunchSpec::parse(with("tee-restart-policy", "")).restart_policy == RestartPolicy::kNever);
  CHECK(error_of(with("tee-restart-policy", "always")) == "invalid restart policy: always");
}

TEST_CASE("commands are arrays of strings; an empty text is none, an empty array is refused") {
  CHECK(LaunchSpec::parse(with("tee-cmd", R"(["a","b c",""])")).cmd == std::vector<std::string>{"a", "b c", ""});
  CHECK_FALSE(LaunchSpec::parse(with("tee-cmd", "")).cmd.has_value());
  CHECK_THAT(error_of(with("tee-cmd", "[]")), ContainsSubstring("tee-cmd: an empty array is not accepted"));
  CHECK_THAT(error_of(with("tee-cmd", "[\"a\"")), ContainsSubstring("tee-cmd: not valid JSON"));
  CHECK_THAT(error_of(with("tee-cmd", "\"a\"")), ContainsSubstring("tee-cmd: expected an array of strings"));
  CHECK_THAT(error_of(with("tee-cmd", R"(["a",1])")), ContainsSubstring("tee-cmd[1]: expected a string"));
  CHECK_THAT(error_of(with("tee-cmd", R"(["a\u0000b"])")), ContainsSubstring("tee-cmd[0]: contains NUL"));
}

TEST_CASE("variables of the operator") {
  const LaunchSpec spec = LaunchSpec::parse(
      {{"tee-image-reference", "x"}, {"tee-env-B", "2"}, {"tee-env-A", "x=y"}, {"tee-env-EMPTY", ""}});
  CHECK(spec.env == std::map<std::string, std::string>{{"A", "x=y"}, {"B", "2"}, {"EMPTY", ""}});
  for (const std::string& name :
       {std::string("foo-bar"), std::string("foo.bar"), std::string(""), std::string("1A"), std::string("A\n")}) {
    CAPTURE(name);
    const std::string error = error_of(with("tee-env-" + name, "canary"));
    CHECK_THAT(error, ContainsSubstring("malformed env name"));
    CHECK_THAT(error, !ContainsSubstring("canary"));
  }
  CHECK_THAT(error_of(with("tee-env-A", std::string("canary\0", 7))), ContainsSubstring("malformed env value"));
}

TEST_CASE("the first error in the contract's order wins") {
  Attributes attributes = {{"tee-restart-policy", "x"}, {"tee-cmd", "x"}, {"tee-env-1", ""}};
  CHECK_THAT(error_of(attributes), ContainsSubstring("tee-image-reference"));
  attributes["tee-image-reference"] = "x";
  CHECK_THAT(error_of(attributes), ContainsSubstring("restart policy"));
  attributes.erase("tee-restart-policy");
  CHECK_THAT(error_of(attributes), ContainsSubstring("tee-cmd"));
  attributes.erase("tee-cmd");
  CHECK_THAT(error_of(attributes), ContainsSubstring("malformed env name"));
}

TEST_CASE("what is not served yet is refused, not forgotten; what nobody knows is ignored") {
  const auto refused = [](const std::string& key, const std::string& value) {
    return error_of(with(key, value)) == key + ": is not supported by this version of the launcher";
  };
  for (const char* key : {"tee-mount", "tee-added-capabilities", "ita-region", "ita-api-key", "tee-signed-image-repos",
                          "tee-dev-shm-size-kb", "tee-impersonate-service-accounts", "gca-service-env"}) {
    CAPTURE(key);
    CHECK(refused(key, "x"));
    CHECK(refused(key, "0"));
    CHECK(error_of(with(key, "")).empty());
  }
  for (const char* key : {"tee-cgroup-ns", "tee-container-log-redirect", "tee-install-gpu-driver", "test-fake-verifier",
                          "tee-monitoring-memory-enable", "tee-disable-gca-refresh"}) {
    CAPTURE(key);
    CHECK(refused(key, "true"));
    CHECK(refused(key, "none"));
    CHECK(error_of(with(key, "false")).empty());
  }
  CHECK(refused("tee-monitoring-enable", "memoryOnly"));
  CHECK(error_of(with("tee-monitoring-enable", "none")).empty());
  CHECK(error_of(with("something-else", "x")).empty());
}

TEST_CASE("attributes are a JSON object of strings") {
  CHECK(launcher::parse_attributes(R"({"a":"1","b":""})") == Attributes{{"a", "1"}, {"b", ""}});
  CHECK_THROWS_WITH(launcher::parse_attributes(R"({"a":1})"), "metadata.a: expected a string");
  CHECK_THROWS_WITH(launcher::parse_attributes(R"({"a":{"b":"c"}})"), ContainsSubstring("metadata.a"));
  CHECK_THROWS_AS(launcher::parse_attributes("[]"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::parse_attributes(R"({"tee-cmd":"a","tee-cmd":"b"})"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::parse_attributes("<html>"), base::InvalidInput);
}

TEST_CASE("the log shows that a variable is there, never its value") {
  const LaunchSpec spec =
      LaunchSpec::parse({{"tee-image-reference", "x"}, {"tee-env-KEY", "canary"}, {"tee-env-NONE", ""}});
  const std::string text = spec.loggable().dump();
  CHECK_THAT(text, !ContainsSubstring("canary"));
  CHECK_THAT(text, ContainsSubstring(R"("KEY":"[REDACTED]")"));
  CHECK_THAT(text, ContainsSubstring(R"("NONE":"")"));
}

TEST_CASE("a variable or argument that no program can be given is refused by its name") {
  CHECK(error_of(with("tee-env-A", std::string(131069, 'x'))).empty());
  CHECK(error_of(with("tee-env-A", std::string(131070, 'x'))) ==
        "tee-env-A: longer than the 131072 bytes that a program can be given");
  CHECK(error_of(with("tee-cmd", R"([")" + std::string(131071, 'x') + R"("])")).empty());
  CHECK(error_of(with("tee-cmd", R"(["a",")" + std::string(131072, 'x') + R"("])")) ==
        "tee-cmd[1]: longer than the 131072 bytes that a program can be given");
  const std::string long_name = error_of(with("tee-env-" + std::string(131071, 'A'), ""));
  CHECK_THAT(long_name, ContainsSubstring(": longer than the 131072 bytes"));
  CHECK(long_name.size() < 200);
}

TEST_CASE("as many attributes and arguments as are taken, and no more") {
  const auto document = [](std::size_t count) {
    std::string json = R"({"tee-image-reference":"x")";
    for (std::size_t i = 1; i < count; ++i) json += ",\"k" + std::to_string(i) + "\":\"\"";
    return json + "}";
  };
  CHECK(launcher::parse_attributes(document(launcher::kMaxAttributes)).size() == launcher::kMaxAttributes);
  CHECK_THROWS_WITH(launcher::parse_attributes(document(launcher::kMaxAttributes + 1)),
                    ContainsSubstring("metadata: "));
  const auto array = [](std::size_t count) {
    std::string json = "[\"\"";
    for (std::size_t i = 1; i < count; ++i) json += ",\"\"";
    return json + "]";
  };
  CHECK(error_of(with("tee-cmd", array(launcher::kMaxAttributes))).empty());
  CHECK_THAT(error_of(with("tee-cmd", array(launcher::kMaxAttributes + 1))), ContainsSubstring("tee-cmd: "));
}
