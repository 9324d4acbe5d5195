#pragma once

#include <cstdint>
#include <set>

#include <openssl/types.h>

#include "base/bytes.h"
#include "evidence/evidence.h"

namespace evidence {

/// The parts of a TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE (TPM 2.0 part 2, section 10.12.12) that anybody decides on.
struct QuoteInfo {
  base::Bytes qualified_signer;  ///< the name of the key, two bytes of algorithm first
  base::Bytes qualifying_data;
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;
  std::set<std::uint32_t> pcrs;
  base::Bytes pcr_digest;
};

/// Throws InvalidInput for another magic or type, more or less than one PCR selection, trailing bytes.
QuoteInfo parse_quote_info(base::ByteView attest);

/// Checks one quote against the key that must have signed it and the nonce that it must carry: signature (ECDSA or
/// RSASSA, with SHA-256 or stronger, the scheme that fits the key), structure, qualifying data, the selection is the
/// bank and exactly the PCRs of `quote.pcr_values`, and the PCR digest is theirs. Throws InvalidInput.
void verify_quote(const Quote& quote, const EVP_PKEY& key, base::ByteView qualifying_data);

/// TPMT_PUBLIC of a restricted signing key that a TPM made from the usual attestation key template (ECC P-256 or RSA
/// 2048), with the public key of `key` as its unique part. Throws InvalidInput for another kind of key.
base::Bytes attestation_key_area(const EVP_PKEY& key);

/// The name that a primary key of the endorsement hierarchy with this TPMT_PUBLIC signs under.
base::Bytes qualified_name_in_endorsement(base::ByteView public_area);

}  // namespace evidence
