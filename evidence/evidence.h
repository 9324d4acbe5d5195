#pragma once

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

/// What an attester hands to a verifier (RFC 9334): claims about the machine and the launch, and what vouches for them.
struct Evidence {
  std::vector<Quote> quotes;          ///< one for each allocated bank
  base::Bytes boot_log;               ///< TCG PC client event log
  base::Bytes launch_log;             ///< canonical event log
  base::Bytes ak_certificate;         ///< DER
  std::vector<base::Bytes> ak_chain;  ///< DER, the issuer of the one before each
};

}  // namespace evidence
