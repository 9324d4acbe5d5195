#include "attest/roots/attestation_key.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"
#include "tests/unit/support/temporary_directory.h"
#include "vtpm/certificate_authority.h"
#include "vtpm/provision.h"

using tpm::Tpm;

namespace {

base::Validity today() {
  const auto now = std::chrono::system_clock::now();
  return {now - std::chrono::hours(1), now + std::chrono::hours(24)};
}

const evidence::InstanceIdentity kMachine{.zone = "z-a",
                                          .project_number = 1,
                                          .project_id = "p",
                                          .instance_id = 2,
                                          .instance_name = "i",
                                          .is_production = true};

}  // namespace

TEST_CASE("a certificate of another key is refused") {
  const test::TemporaryDirectory directory;
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  vtpm::provision(tpm, authority, kMachine, today(), vtpm::KeyKind::kEcc);
  CHECK_NOTHROW(attest::load_attestation_key(tpm, tpm::kEccKeyIndices));
  const base::EvpPkeyPtr other(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const auto certificate = authority.certify(*other, kMachine, today());
  tpm.write_platform_nv(tpm::kEccKeyIndices.certificate, base::certificate_der(*certificate));
  CHECK_THROWS_WITH(attest::load_attestation_key(tpm, tpm::kEccKeyIndices),
                    ContainsSubstring("is not that of the attestation key"));
}

TEST_CASE("templates of keys that may not quote are refused") {
  const test::TemporaryDirectory directory;
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  vtpm::provision(tpm, authority, kMachine, today(), vtpm::KeyKind::kEcc);
  const base::Bytes good = *tpm.read_nv(tpm::kEccKeyIndices.key_template);
  const auto error_with = [&](const base::Bytes& key_template) -> std::string {
    tpm.write_platform_nv(tpm::kEccKeyIndices.key_template, key_template);
    try {
      attest::load_attestation_key(tpm, tpm::kEccKeyIndices);
      return "";
    } catch (const base::Error& error) {
      return error.what();
    }
  };
  base::Bytes unrestricted = good;
  unrestricted[5] &= static_cast<std::uint8_t>(~0x01);  // TPMA_OBJECT_RESTRICTED is bit 16
  CHECK_THAT(error_with(unrestricted), ContainsSubstring("not that of a restricted signing key"));
  CHECK_THAT(error_with({1, 2, 3}), ContainsSubstring("not a TPMT_PUBLIC"));
  base::Bytes with_policy(good.begin(), good.begin() + 8);
  base::append(with_policy, base::Bytes{0, 32});
  with_policy.insert(with_policy.end(), 32, 0xaa);
  with_policy.insert(with_policy.end(), good.begin() + 10, good.end());
  CHECK_THAT(error_with(with_policy), ContainsSubstring("unknown auth policy"));
  base::Bytes trailing = good;
  trailing.push_back(0);
  CHECK(error_with(trailing).empty());
}

TEST_CASE("NV that holds more than the certificate is refused") {
  const test::TemporaryDirectory directory;
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  test::Swtpm swtpm;
  Tpm tpm = Tpm::open(swtpm.tcti());
  vtpm::provision(tpm, authority, kMachine, today(), vtpm::KeyKind::kEcc);
  base::Bytes certificate = *tpm.read_nv(tpm::kEccKeyIndices.certificate);
  certificate.push_back(0);
  tpm.write_platform_nv(tpm::kEccKeyIndices.certificate, certificate);
  CHECK_THROWS_WITH(attest::load_attestation_key(tpm, tpm::kEccKeyIndices),
                    ContainsSubstring("bytes follow the certificate"));
}
