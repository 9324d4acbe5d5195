#include "launcher/platform/registry_credentials.h"

#include <boost/asio/io_context.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/run.h"

using launcher::RegistryCredentials;
using oci::Credential;
using oci::DockerConfig;

namespace {

DockerConfig config_for(const std::string& host, const std::string& user) {
  return DockerConfig::parse(R"({"auths":{")" + host + R"(":{"username":")" + user + R"(","password":"p"}}})", "c");
}

}  // namespace

TEST_CASE("each registry gets what was meant for it: the operator's, else the machine's, else none") {
  const RegistryCredentials credentials(config_for("both.example", "operator"), config_for("both.example", "machine"));
  CHECK(credentials.of("both.example") == Credential{"operator", "p"});
  CHECK_FALSE(credentials.of("other.example"));
  CHECK_FALSE(credentials.of("both.example.evil"));
  const RegistryCredentials of_machine({}, config_for("r.example", "machine"));
  CHECK(of_machine.of("r.example") == Credential{"machine", "p"});
}

TEST_CASE("the machine's access token is for Google's registries, and only where nobody stated anything else") {
  asio::io_context context;
  test::SomePlatform platform;
  platform.access = "token";
  RegistryCredentials none({}, {});
  test::run(context, none.prepare_for("registry.example", platform));
  CHECK(platform.access_tokens_given == 0);
  CHECK_FALSE(none.of("gcr.io"));
  test::run(context, none.prepare_for("eu.gcr.io", platform));
  CHECK(none.of("eu.gcr.io") == Credential{"_token", "token"});
  CHECK_FALSE(none.of("registry.example"));
  RegistryCredentials stated(config_for("gcr.io", "operator"), {});
  test::run(context, stated.prepare_for("gcr.io", platform));
  CHECK(stated.of("gcr.io") == Credential{"operator", "p"});
  CHECK(platform.access_tokens_given == 1);
  INFO("a machine without an account pulls anonymously");
  platform.access.reset();
  RegistryCredentials anonymous({}, {});
  test::run(context, anonymous.prepare_for("gcr.io", platform));
  CHECK_FALSE(anonymous.of("gcr.io"));
}
