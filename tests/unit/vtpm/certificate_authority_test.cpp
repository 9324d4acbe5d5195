#include "vtpm/certificate_authority.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;
using vtpm::CertificateAuthority;

const evidence::InstanceIdentity kIdentity{"us-central1-a", 12345, "my-project", 678, "my-instance", true};

}  // namespace

TEST_CASE("an authority is made once and found again") {
  const base::PrivateDirectory directory("cs-test");
  const auto folder = directory.path() / "ca";
  const auto made = CertificateAuthority::open(folder);
  const auto found = CertificateAuthority::open(folder);
  CHECK(base::certificate_der(made.certificate()) == base::certificate_der(found.certificate()));
  const auto key_mode = std::filesystem::status(folder / "ca-key.pem").permissions();
  CHECK(key_mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(X509_check_ca(const_cast<X509*>(&made.certificate())) == 1);
}

TEST_CASE("an authority that lacks a file or has another's key is refused") {
  const base::PrivateDirectory directory("cs-test");
  const auto folder = directory.path() / "ca";
  CertificateAuthority::open(folder);
  CertificateAuthority::open(directory.path() / "other");
  std::filesystem::copy_file(directory.path() / "other/ca-key.pem", folder / "ca-key.pem",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_WITH(CertificateAuthority::open(folder), ContainsSubstring("is not the key of"));
  std::filesystem::remove(folder / "ca-key.pem");
  CHECK_THROWS_AS(CertificateAuthority::open(folder), base::SystemError);
  std::ofstream(folder / "ca-key.pem") << "nonsense";
  CHECK_THROWS_WITH(CertificateAuthority::open(folder), ContainsSubstring("is no private key in PEM"));
}

TEST_CASE("an attestation key certificate says who, how long and for what") {
  const base::PrivateDirectory directory("cs-test");
  const auto authority = CertificateAuthority::open(directory.path() / "ca");
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const base::WallTime now = base::from_unix_seconds(1800000000);
  const auto certificate = authority.certify(*key, kIdentity, {now, now + 24h});
  CHECK(evidence::instance_identity_of(*certificate) == kIdentity);
  CHECK(X509_verify(certificate.get(), X509_get0_pubkey(&authority.certificate())) == 1);
  CHECK(X509_get_key_usage(certificate.get()) == KU_DIGITAL_SIGNATURE);
  CHECK(X509_check_ca(certificate.get()) == 0);
  const auto again = authority.certify(*key, kIdentity, {now, now + 24h});
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(certificate.get()), X509_get0_serialNumber(again.get())) != 0);
}
