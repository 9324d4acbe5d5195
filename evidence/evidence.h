#pragma once

#include <variant>
#include <vector>

#include "base/bytes.h"
#include "measure/hash.h"

namespace evidence {

/// One signed statement of the TPM about one PCR bank.
struct Quote {
  measure::HashAlgorithm bank = measure::HashAlgorithm::kSha256;
  measure::PcrValues pcr_values;
  base::Bytes attest;     ///< TPMS_ATTEST
  base::Bytes signature;  ///< TPMT_SIGNATURE
};

/// Of a machine with a TPM.
struct TpmEvidence {
  std::vector<Quote> quotes;          ///< one for each allocated bank
  base::Bytes boot_log;               ///< TCG PC client event log
  base::Bytes launch_log;             ///< canonical event log
  base::Bytes ak_certificate;         ///< DER
  std::vector<base::Bytes> ak_chain;  ///< DER, the issuer of the one before each
};

/// What an attester hands to a verifier (RFC 9334): claims about the machine and the launch, and what vouches for them.
using Evidence = std::variant<TpmEvidence>;

}  // namespace evidence
