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
  asio::io_context context;
  test::SomePlatform platform;
  RegistryCredentials credentials(config_for("both.example", "operator"), config_for("both.example", "machine"),
                                  platform);
  CHECK(test::run(context, credentials.of("both.example")) == Credential{"operator", "p"});
  CHECK_FALSE(test::run(context, credentials.of("other.example")));
  CHECK_FALSE(test::run(context, credentials.of("both.example.evil")));
  RegistryCredentials of_machine({}, config_for("r.example", "machine"), platform);
  CHECK(test::run(context, of_machine.of("r.example")) == Credential{"machine", "p"});
}

TEST_CASE("the machine's access token is for Google's registries, and only where nobody stated anything else") {
  asio::io_context context;
  test::SomePlatform platform;
  platform.access = "token";
  RegistryCredentials none({}, {}, platform);
  CHECK_FALSE(test::run(context, none.of("registry.example")));
  CHECK(platform.access_tokens_given == 0);
  CHECK(test::run(context, none.of("eu.gcr.io")) == Credential{"_token", "token"});
  RegistryCredentials stated(config_for("gcr.io", "operator"), {}, platform);
  CHECK(test::run(context, stated.of("gcr.io")) == Credential{"operator", "p"});
  CHECK(platform.access_tokens_given == 1);
  INFO("each time the one that is good then");
  platform.access = "another";
  CHECK(test::run(context, none.of("gcr.io")) == Credential{"_token", "another"});
  INFO("a machine without an account pulls anonymously");
  platform.access.reset();
  CHECK_FALSE(test::run(context, none.of("gcr.io")));
}
