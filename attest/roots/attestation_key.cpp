#include "attest/roots/attestation_key.h"

#include <algorithm>
#include <string>

#include <tss2/tss2_mu.h>

#include "base/error.h"
#include "evidence/quote.h"

namespace attest {
namespace {

constexpr TPMA_OBJECT kRestrictedSigning = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;

/// Also gives the template's exact bytes: NV may hold more than the TPMT_PUBLIC.
base::Bytes checked_template(const base::Bytes& stored) {
  TPMT_PUBLIC area{};
  std::size_t length = 0;
  if (Tss2_MU_TPMT_PUBLIC_Unmarshal(stored.data(), stored.size(), &length, &area) != TSS2_RC_SUCCESS) {
    throw base::InvalidInput("attestation key template", "is not a TPMT_PUBLIC");
  }
  if ((area.objectAttributes & kRestrictedSigning) != kRestrictedSigning ||
      (area.objectAttributes & TPMA_OBJECT_DECRYPT) != 0) {
    throw base::InvalidInput("attestation key template", "is not that of a restricted signing key");
  }
  if (area.authPolicy.size != 0) {
    throw base::InvalidInput("attestation key template", "unknown auth policy when creating key");
  }
  return {stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(length)};
}

void expect_same_key(const X509& certificate, const tpm::TpmKey& key) {
  const EVP_PKEY* certified = X509_get0_pubkey(&certificate);
  if (certified == nullptr || evidence::attestation_key_area(*certified) != key.public_area()) {
    throw base::Error("the attestation key certificate is not that of the attestation key");
  }
}

}  // namespace

AttestationKey load_attestation_key(tpm::Tpm& tpm, tpm::AttestationKeyIndices indices) {
  const auto key_template = tpm.read_nv(indices.key_template);
  const auto certificate_der = tpm.read_nv(indices.certificate);
  if (!key_template || !certificate_der) {
    throw base::Error("failed to find AKCert on this VM: try creating a new VM or contacting support");
  }
  AttestationKey result{tpm.create_endorsement_primary(checked_template(*key_template)),
                        base::parse_certificate(*certificate_der, "attestation key certificate")};
  expect_same_key(*result.certificate, result.key);
  return result;
}

}  // namespace attest
