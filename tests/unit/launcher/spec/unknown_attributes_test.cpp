#include "launcher/spec/unknown_attributes.h"

#include "tests/unit/catch.h"

using launcher::Attributes;
using launcher::unknown_attributes;

namespace {

std::string nearest(const std::string& key) {
  const auto unknown = unknown_attributes({{key, "x"}});
  return unknown.empty() ? "(not listed)" : unknown[0].nearest;
}

}  // namespace

TEST_CASE("a slip in a name is answered with the name") {
  CHECK(nearest("tee-restartpolicy") == "tee-restart-policy");
  CHECK(nearest("tee-restart_policy") == "tee-restart-policy");
  CHECK(nearest("tee-image-refrence") == "tee-image-reference");
  CHECK(nearest("tee-image") == "");
  CHECK(nearest("TEE-CMD") == "tee-cmd");
  CHECK(nearest("tee_cmd") == "tee-cmd");
  CHECK(nearest("te-cmd") == "tee-cmd");
  CHECK(nearest("tee-evn-FOO") == "tee-env-NAME");
  CHECK(nearest("tee-env_FOO") == "tee-env-NAME");
  CHECK(nearest("TEE-ENV-FOO") == "tee-env-NAME");
  CHECK(nearest("ita-apikey") == "ita-api-key");
  CHECK(nearest("tee-something-quite-different") == "");
}

TEST_CASE("what is known, and what is a cloud's own, is not listed") {
  for (const char* key : {"tee-image-reference",
                          "tee-restart-policy",
                          "tee-cmd",
                          "tee-env-FOO",
                          "tee-env-",
                          "tee-mount",
                          "tee-monitoring-enable",
                          "gca-service-env",
                          "ssh-keys",
                          "enable-oslogin",
                          "google-logging-enabled",
                          "google-monitoring-enabled",
                          "startup-script",
                          "user-data",
                          "serial-port-enable",
                          "block-project-ssh-keys",
                          "cmd",
                          "env",
                          "tea",
                          "t",
                          ""}) {
    CAPTURE(key);
    CHECK(nearest(key) == "(not listed)");
  }
}

TEST_CASE("keys without end are cut, and no more are listed than anybody reads") {
  const auto unknown = unknown_attributes({{"tee-" + std::string(std::size_t{1} << 20U, 'x'), ""}});
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].key.size() == launcher::kMaxKeyCompared);
  CHECK(unknown[0].nearest.empty());
  CHECK(nearest("tee-" + std::string(launcher::kMaxKeyCompared - 4, 'x')).empty());
  CHECK(unknown_attributes({{std::string(std::size_t{1} << 20U, 'x'), ""}}).empty());
  Attributes many;
  for (std::size_t i = 0; i < launcher::kMaxUnknownListed; ++i) many["tee-x" + std::to_string(i)] = "";
  CHECK(unknown_attributes(many).size() == launcher::kMaxUnknownListed);
  many["tee-y"] = "";
  CHECK(unknown_attributes(many).size() == launcher::kMaxUnknownListed);
}
