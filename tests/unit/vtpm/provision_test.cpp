#include "vtpm/provision.h"

#include <chrono>
#include <filesystem>

#include "attest/roots/attestation_key.h"
#include "base/error.h"
#include "evidence/quote.h"
#include "measure/launch_log.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/swtpm.h"
#include "tpm/nv_indices.h"

namespace {

using namespace std::chrono_literals;

const evidence::InstanceIdentity kProvisioned{"us-central1-a", 12345, "my-project", 678, "my-instance", true};
const base::WallTime kNow = base::Clock::system().wall();
const base::Validity kValidity{kNow - 1h, kNow + 24h};

/// The ECC template without the attribute "restricted".
base::Bytes unrestricted_template() {
  base::Bytes area = vtpm::attestation_key_template(vtpm::KeyKind::kEcc);
  area[5] = 0x04;  // attributes 0x00040072
  return area;
}

}  // namespace

TEST_CASE("a provisioned vTPM hands out a certified attestation key that quotes") {
  const auto [kind, indices] = GENERATE(std::pair(vtpm::KeyKind::kEcc, tpm::kEccKeyIndices),
                                        std::pair(vtpm::KeyKind::kRsa, tpm::kRsaKeyIndices));
  test::Swtpm swtpm;
  const base::PrivateDirectory directory("cs-test");
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  {
    tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
    vtpm::provision(tpm, authority, kProvisioned, kValidity, kind);
  }
  swtpm.power_cycle();
  tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  CHECK(tpm.lockout_state().startup_was_orderly);
  CHECK(tpm.read_nv(indices.key_template) == vtpm::attestation_key_template(kind));
  const attest::AttestationKey key = attest::load_attestation_key(tpm, indices);
  CHECK(X509_verify(key.certificate.get(), X509_get0_pubkey(&authority.certificate())) == 1);
  CHECK(evidence::instance_identity_of(*key.certificate) == kProvisioned);

  const base::Bytes nonce = base::random_bytes(32);
  for (const auto& bank : tpm.pcr_banks()) {
    const auto blob = tpm.quote(key.key, nonce, bank);
    const evidence::Quote quote{bank.algorithm, tpm.read_pcrs(bank.algorithm, bank.pcrs), blob.attest, blob.signature};
    CHECK_NOTHROW(evidence::verify_quote(quote, *X509_get0_pubkey(key.certificate.get()), nonce));
    CHECK(evidence::parse_quote_info(quote.attest).qualified_signer ==
          evidence::qualified_name_in_endorsement(key.key.public_area()));
  }
}

TEST_CASE("provisioning again replaces the certificate") {
  const test::Swtpm swtpm;
  const base::PrivateDirectory directory("cs-test");
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  vtpm::provision(tpm, authority, kProvisioned, kValidity, vtpm::KeyKind::kEcc);
  evidence::InstanceIdentity other = kProvisioned;
  other.instance_name = "a-name-of-another-length";
  vtpm::provision(tpm, authority, other, kValidity, vtpm::KeyKind::kEcc);
  CHECK(evidence::instance_identity_of(*attest::load_attestation_key(tpm, tpm::kEccKeyIndices).certificate) == other);
}

TEST_CASE("a key that signs whatever it is given is not certified") {
  const test::Swtpm swtpm;
  const base::PrivateDirectory directory("cs-test");
  const auto authority = vtpm::CertificateAuthority::open(directory.path() / "ca");
  tpm::Tpm tpm = tpm::Tpm::open(swtpm.tcti());
  const tpm::TpmKey key = tpm.create_endorsement_primary(unrestricted_template());
  CHECK_THROWS_WITH(vtpm::certify_attestation_key(authority, key, kProvisioned, kValidity),
                    ContainsSubstring("not a restricted signing key"));
}

TEST_CASE("a public area that is none is refused") {
  CHECK_THROWS_AS(vtpm::public_key_of(base::Bytes{}), base::InvalidInput);
  base::Bytes area = vtpm::attestation_key_template(vtpm::KeyKind::kEcc);
  CHECK_THROWS_AS(vtpm::public_key_of(area), base::InvalidInput);  // the point 0, 0 is not on the curve
  area.push_back(0);
  CHECK_THROWS_WITH(vtpm::public_key_of(area), ContainsSubstring("TPMT_PUBLIC"));
}
