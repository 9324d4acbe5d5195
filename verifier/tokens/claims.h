#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "evidence/image_signature.h"
#include "evidence/messages.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/reference_values.h"

namespace verifier {

inline constexpr std::size_t kMaxAudienceBytes = 512;
inline constexpr std::size_t kMaxNonces = 6;
inline constexpr std::size_t kMinNonceBytes = 8;
inline constexpr std::size_t kMaxNonceBytes = 88;

/// Throws Refusal INVALID_OPTIONS for options out of bounds.
void check_options(const evidence::TokenOptions& options);

/// All that a token says something of.
struct TokenSubject {
  const Appraisal& appraisal;
  const ReferenceValue* image = nullptr;  ///< that the machine matches; none: called "GCE" and open to its operator
  std::vector<evidence::VerifiedImageSignature> signatures = {};
  std::vector<std::string> service_accounts = {};
};

/// Who says it, and when.
struct TokenContext {
  std::string issuer;
  base::WallTime now;
  std::chrono::seconds lifetime;
};

/// The claims that tokens of every kind have.
base::Json common_claims(const TokenSubject& subject, const evidence::TokenOptions& options,
                         const TokenContext& context);

/// What `submods` of those says of a launch: container and confidential_space.
base::Json launch_claims(const LaunchState& launch, const std::vector<evidence::VerifiedImageSignature>& signatures,
                         const ReferenceValue* image);

/// The claims of OIDC and PKI tokens: all that is known. docs/verifier.md has a table of them.
base::Json default_claims(const TokenSubject& subject, const evidence::TokenOptions& options,
                          const TokenContext& context);

}  // namespace verifier
