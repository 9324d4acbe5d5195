#pragma once

#include <string>

#include "base/bytes.h"
#include "tpm/tpm.h"

namespace test {

// Attestations that a TPM makes with its attestation key and that are no quotes. Each opens the TPM for itself: close
// other connections before.

/// TPM2_Certify of the attestation key by itself.
tpm::QuoteBlob certify(const std::string& tcti, base::ByteView qualifying_data);
/// TPM2_NV_Certify of the index that holds the attestation key's template.
tpm::QuoteBlob nv_certify(const std::string& tcti, base::ByteView qualifying_data);

}  // namespace test
