#pragma once

#include <cstdint>

namespace tpm {

/// Where a Google Cloud vTPM keeps the attestation key's template (TPMT_PUBLIC) and certificate (DER).
struct AttestationKeyIndices {
  std::uint32_t certificate;
  std::uint32_t key_template;
};

inline constexpr AttestationKeyIndices kRsaKeyIndices{0x01c10000, 0x01c10001};
inline constexpr AttestationKeyIndices kEccKeyIndices{0x01c10002, 0x01c10003};

}  // namespace tpm
