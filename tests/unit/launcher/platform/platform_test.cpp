#include "launcher/platform/platform.h"

#include <array>

#include <openssl/ec.h>
#include <unistd.h>

#include "base/error.h"
#include "evidence/instance_identity.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "vtpm/certificate_authority.h"

using base::Awaitable;
using launcher::Location;

TEST_CASE("the region is the zone without its last part") {
  CHECK(launcher::Location{"p", "us-central1-a"}.region() == "us-central1");
  CHECK_THROWS_AS((launcher::Location{"p", "nozone"}.region()), base::InvalidInput);
  CHECK_THROWS_AS((launcher::Location{"p", ""}.region()), base::InvalidInput);
}

TEST_CASE("the platform says where the machine is, or else the attestation key's certificate does") {
  const test::TemporaryDirectory directory;
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const auto now = std::chrono::system_clock::now();
  const base::X509Ptr certificate =
      authority.certify(*key, {.zone = "europe-west4-b", .project_id = "certified", .instance_name = "i"},
                        {now, now + std::chrono::hours(1)});
  asio::io_context context;
  test::SomePlatform platform;
  Location location = test::run(context, launcher::location_of_machine(platform, *certificate));
  CHECK(location.project_id == "certified");
  CHECK(location.region() == "europe-west4");
  CHECK_THROWS_WITH(test::run(context, launcher::location_of_machine(platform, authority.certificate())),
                    "neither the metadata nor the attestation key certificate tell project and zone");
  platform.where = Location{.project_id = "told", .zone = "us-central1-a"};
  location = test::run(context, launcher::location_of_machine(platform, *certificate));
  CHECK(location.project_id == "told");
}

TEST_CASE("a machine has the platform's name, or else its own") {
  asio::io_context context;
  test::SomePlatform platform;
  std::array<char, 256> own{};
  REQUIRE(::gethostname(own.data(), own.size() - 1) == 0);
  CHECK(test::run(context, launcher::name_of_machine(platform)) == own.data());
  platform.name = "workload-vm";
  CHECK(test::run(context, launcher::name_of_machine(platform)) == "workload-vm");
  INFO("one that can't be asked may be there after a restart");
  platform.name_failure = base::Error("instance/name: away");
  try {
    test::run(context, launcher::name_of_machine(platform));
    FAIL("a name of nobody");
  } catch (const base::Error& error) {
    CHECK(std::string(error.what()) == "cannot get hostname: instance/name: away");
    CHECK(error.action() == base::Action::kRestart);
  }
}
