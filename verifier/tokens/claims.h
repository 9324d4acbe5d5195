#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "evidence/messages.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/reference_values.h"

namespace verifier {

inline constexpr std::size_t kMaxAudienceBytes = 512;
inline constexpr std::size_t kMaxNonces = 6;
inline constexpr std::size_t kMinNonceBytes = 8;
inline constexpr std::size_t kMaxNonceBytes = 88;

/// Throws StatusError INVALID_ARGUMENT for options out of bounds, UNIMPLEMENTED for kinds of token that this verifier
/// does not issue.
void check_options(const evidence::TokenOptions& options);

/// What a token says besides what the appraisal says.
struct TokenContext {
  std::string issuer;
  base::WallTime now;
  std::chrono::seconds lifetime;
  std::optional<std::vector<std::string>> service_accounts;  ///< nothing: could not be checked
};

/// The claims of a Confidential Space token. `image` is the reference value that the machine matches, or nullptr: then
/// the machine is called "GCE" and counts as open to its operator.
base::Json make_claims(const Appraisal& appraisal, const ReferenceValue* image, const evidence::TokenOptions& options,
                       const TokenContext& context);

}  // namespace verifier
