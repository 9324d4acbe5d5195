#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "evidence/jose.h"

namespace verifier {

/// Who issues the ID tokens of machines' service accounts, and with which keys.
struct IdentityTokenIssuer {
  std::string issuer;
  std::shared_ptr<const std::vector<evidence::Jwk>> keys;  ///< null: none are known now
  bool may_have_more = false;  ///< they are those that it has published, and may have changed
};

/// A token names a key that its issuer may have published meanwhile.
class UnknownIssuerKey : public base::Error {
 public:
  UnknownIssuerKey(const IdentityTokenIssuer& issuer, std::string_view key_id)
      : base::Error("the keys of " + issuer.issuer +
                    (issuer.keys ? " lack \"" + std::string(key_id) + "\"" : std::string(" can't be had"))),
        issuer_(issuer.issuer),
        others_are_known_(issuer.keys != nullptr) {}

  /// As IdentityTokenIssuer has it.
  const std::string& issuer() const noexcept { return issuer_; }
  bool others_are_known() const noexcept { return others_are_known_; }

 private:
  std::string issuer_;
  bool others_are_known_;
};

/// Google's tokens name their issuer with or without the scheme.
bool is_same_issuer(std::string_view one, std::string_view other);

/// Checks the ID tokens that come with evidence.
class IdentityTokens {
 public:
  explicit IdentityTokens(std::vector<IdentityTokenIssuer> issuers) : issuers_(std::move(issuers)) {}

  /// Without an issuer no token can be checked: the claim is left out then.
  bool is_configured() const noexcept { return !issuers_.empty(); }
  const std::vector<IdentityTokenIssuer>& issuers() const noexcept { return issuers_; }

  /// The verified e-mail addresses of the tokens' principals, each once. A valid token without one counts for nothing.
  /// Throws Refusal INVALID_ID_TOKEN when any token is not valid for `audience` at `now`, and UnknownIssuerKey.
  std::vector<std::string> emails(const std::vector<std::string>& tokens, std::string_view audience,
                                  base::WallTime now) const;

 private:
  std::optional<std::string> email(std::string_view token, std::string_view audience, base::WallTime now) const;
  const IdentityTokenIssuer& issuer_of(std::string_view token) const;

  std::vector<IdentityTokenIssuer> issuers_;
};

}  // namespace verifier
