#include "verifier/service/publication.h"

#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/pki_files.h"

// How they are served: tests/unit/verifier/service/api_test.cpp.

TEST_CASE("relying parties find all that they need below the issuer's URL") {
  const base::PrivateDirectory directory("cs-test");
  const base::WallTime now = base::from_unix_seconds(1800000000);
  verifier::Config config;
  config.issuer = "https://storage.example/bucket/folder";
  CHECK(verifier::issuer_path(config) == "/bucket/folder");
  const auto signers = verifier::open_signers(verifier::KeyStore(directory.path()), {}, now);
  const auto plain = verifier::published_documents(config, *signers);
  REQUIRE(plain.size() == 2);
  CHECK(base::Json::parse(plain[0].body)["jwks_uri"] == config.issuer + plain[1].path);
  CHECK(base::Json::parse(plain[1].body) == signers->oidc.keys().jwks());

  test::PkiFiles::shared().copy_into(directory.path());
  const auto with_pki =
      verifier::published_documents(config, *verifier::load_signers(verifier::KeyStore(directory.path()), {}, now));
  REQUIRE(with_pki.size() == 4);
  CHECK(base::Json::parse(with_pki[2].body)["root_ca_uri"] == config.issuer + with_pki[3].path);
  CHECK_THAT(with_pki[3].body, Catch::Matchers::StartsWith("-----BEGIN CERTIFICATE-----\n"));
}

TEST_CASE("an issuer that is a host alone has no path") {
  verifier::Config config;
  config.issuer = "https://verifier.example:8443";
  CHECK(verifier::issuer_path(config).empty());
}
