#include "oci/distribution/docker_config.h"

#include "base/encoding.h"
#include "base/error.h"
#include "oci/reference.h"
#include "tests/unit/catch.h"

namespace oci {
namespace {

std::string encoded(const std::string& text) { return base::base64_encode(base::view_of(text)); }

DockerConfig config_of(const std::string& auths) { return DockerConfig::parse("{\"auths\":{" + auths + "}}", "c"); }

std::string error_of(const std::string& json) {
  try {
    DockerConfig::parse(json, "c");
    return "";
  } catch (const base::InvalidInput& error) {
    CHECK_THAT(error.what(), !ContainsSubstring("canary"));
    return error.what();
  }
}

}  // namespace

TEST_CASE("credentials stand in Base64 or apart, one for a host") {
  const DockerConfig config = config_of(
      R"("registry.example":{"auth":")" + encoded("user:pass:word") +
      R"("},"other.example:5000":{"username":"u","password":"p"},"localhost":{"auth":")" + encoded("a:b") + "\"}");
  CHECK(config.credential_for("registry.example") == Credential{"user", "pass:word"});
  CHECK(config.credential_for("other.example:5000") == Credential{"u", "p"});
  CHECK(config.credential_for("localhost") == Credential{"a", "b"});
  CHECK_FALSE(config.credential_for("other.example"));
  CHECK_FALSE(config.credential_for("registry.example.evil"));
  CHECK(config_of("").empty());
  const auto reference = oci::ImageReference::parse("Registry.Example/x", "test");
  CHECK(config.credential_for(reference.registry_host()) == Credential{"user", "pass:word"});
}

TEST_CASE("hosts are written as URLs of an old API, too") {
  for (const char* key : {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://DOCKER.IO"}) {
    CAPTURE(key);
    const DockerConfig config = config_of("\"" + std::string(key) + R"(":{"username":"u","password":"p"})");
    CHECK(config.credential_for("registry-1.docker.io") == Credential{"u", "p"});
  }
  CHECK(config_of(R"("http://r.example/v2/":{"username":"u","password":"p"})").credential_for("r.example"));
}

TEST_CASE("what is no credential of one host is refused without showing it") {
  const std::string good = R"("username":"u","password":"canary")";
  CHECK(error_of("canary") == "c: not valid JSON at byte 1");
  CHECK(error_of("{}") == "c: has no auths");
  CHECK_THAT(error_of(R"({"auths":{"r.example/team":{)" + good + "}}}"), StartsWith("c.auths.r.example/team: "));
  // It would be read as a folder of Docker Hub.
  CHECK_THAT(error_of(R"({"auths":{"registry":{)" + good + "}}}"), EndsWith("is not the host of a registry"));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{}},"credsStore":"osxkeychain"})"), ContainsSubstring("has no auth"));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{"username":"u"}}})"), ContainsSubstring("has no auth"));
  CHECK_THAT(error_of(R"({"auths":{},"credHelpers":{"r.example":"ecr"}})"), ContainsSubstring("no program is run"));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{"identitytoken":"canary"}}})"), ContainsSubstring("not supported"));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{"auth":"canary"}}})"), StartsWith("c.auths.r.example.auth: "));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{"auth":")" + encoded("canary") + "\"}}}"),
             ContainsSubstring("is not USER:PASSWORD"));
  CHECK_THAT(error_of(R"({"auths":{"r.example":{)" + good + R"(},"https://r.example":{)" + good + "}}}"),
             ContainsSubstring("names a host that stands there already"));
  for (const char* key : {"https://bot:canary@r.example", "canary@r.example", "bot:canary@"}) {
    CHECK(error_of(R"({"auths":{")" + std::string(key) + "\":{" + good + "}}}") ==
          "c.auths: names a host with a user before it");
  }
  CHECK_THAT(error_of(R"({"auths":{"a b.example":{)" + good + "}}}"), StartsWith("c.auths.a b.example"));
}

TEST_CASE("a configuration has as many hosts and bytes as the limits") {
  const auto hosts = [](std::size_t count) {
    std::string auths;
    for (std::size_t i = 0; i < count; ++i)
      auths += (i > 0 ? "," : "") + ("\"r" + std::to_string(i)) + R"(.example":{"username":"u","password":"p"})";
    return "{\"auths\":{" + auths + "}}";
  };
  CHECK(error_of(hosts(kMaxDockerConfigHosts)).empty());
  CHECK_THAT(error_of(hosts(kMaxDockerConfigHosts + 1)), ContainsSubstring("more than 64 hosts"));
  CHECK_FALSE(error_of(hosts(1) + std::string(kMaxDockerConfigBytes, ' ')).empty());
}

}  // namespace oci
