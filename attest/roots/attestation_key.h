#pragma once

#include "base/bytes.h"
#include "base/openssl.h"
#include "tpm/nv_indices.h"
#include "tpm/tpm.h"

namespace attest {

/// The restricted signing key that quotes, and the certificate with which a cloud vouches for it.
struct AttestationKey {
  tpm::TpmKey key;
  base::X509Ptr certificate;
};

/// Creates the key from the template in NV, in the endorsement hierarchy; it stays loaded as long as the result lives.
/// Throws Error when there is no template or no certificate, the template is not that of a restricted signing key
/// without a policy, or the certificate is another key's.
AttestationKey load_attestation_key(tpm::Tpm& tpm, tpm::AttestationKeyIndices indices);

}  // namespace attest
