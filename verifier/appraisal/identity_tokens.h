#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "evidence/jose.h"

namespace verifier {

/// Who issues the ID tokens of machines' service accounts, and with which keys.
struct IdentityTokenIssuer {
  std::string issuer;
  std::vector<evidence::Jwk> keys;
};

/// Checks the ID tokens that come with evidence.
class IdentityTokens {
 public:
  explicit IdentityTokens(std::vector<IdentityTokenIssuer> issuers) : issuers_(std::move(issuers)) {}

  /// Without an issuer no token can be checked: the claim is left out then.
  bool is_configured() const noexcept { return !issuers_.empty(); }

  /// The verified e-mail addresses of the tokens' principals, each once. A valid token without one counts for nothing.
  /// Throws Refusal INVALID_ID_TOKEN when any token is not valid for `audience` at `now`.
  std::vector<std::string> emails(const std::vector<std::string>& tokens, std::string_view audience,
                                  base::WallTime now) const;

 private:
  std::optional<std::string> email(std::string_view token, std::string_view audience, base::WallTime now) const;
  const IdentityTokenIssuer& issuer_of(std::string_view token) const;

  std::vector<IdentityTokenIssuer> issuers_;
};

}  // namespace verifier
