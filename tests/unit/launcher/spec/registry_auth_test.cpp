#include "launcher/spec/registry_auth.h"

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::read_registry_auth;
using test::read_attributes;

TEST_CASE("credentials for registries are a Docker configuration in Base64") {
  const std::string json = R"({"auths":{"registry.example":{"username":"u","password":"canary"}}})";
  const auto read =
      read_attributes({{"tee-registry-auth", base::base64_encode(base::view_of(json))}}, read_registry_auth);
  CHECK(read.problems.empty());
  CHECK(read.value.credential_for("registry.example") == oci::Credential{"u", "canary"});
  CHECK(read_attributes({}, read_registry_auth).value.empty());
}

TEST_CASE("what is wrong with credentials is told without them") {
  const auto problems_of = [](const std::string& text) {
    const std::string problems = read_attributes({{"tee-registry-auth", text}}, read_registry_auth).problems;
    CHECK_THAT(problems, StartsWith("tee-registry-auth") && !ContainsSubstring("canary"));
    return problems;
  };
  problems_of("canary!");
  problems_of(base::base64_encode(base::view_of(std::string("canary"))));
  problems_of(base::base64_encode(base::view_of(std::string(R"({"auths":{"r.example":{"auth":"canary"}}})"))));
  CHECK_THAT(problems_of(std::string(100000, 'A')), ContainsSubstring("holds more than 65536 bytes"));
}
