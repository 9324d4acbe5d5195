#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "verifier/appraisal/appraisal.h"

namespace verifier {

inline constexpr std::size_t kMaxDenyListBytes = std::size_t{8} << 20U;
inline constexpr std::size_t kMaxDenyListEntries = std::size_t{64} << 10U;

/// Machines that get no token, whatever their evidence proves: such as one whose disk was seen elsewhere, or whose
/// attestation key is known to have left its TPM.
class DenyList {
 public:
  DenyList() = default;
  /// {"instance_ids": ["1234567890"], "attestation_keys": ["<SHA-256 of SubjectPublicKeyInfo, hexadecimal>"]}, both
  /// optional. Throws InvalidInput(`subject`...) that names the field.
  static DenyList parse(std::string_view json, const std::string& subject);

  /// Throws Refusal INSTANCE_DENIED or ATTESTATION_KEY_DENIED.
  void check(const Appraisal& appraisal) const;

 private:
  std::set<std::string, std::less<>> instance_ids_;
  std::set<std::string, std::less<>> attestation_keys_;
};

}  // namespace verifier
