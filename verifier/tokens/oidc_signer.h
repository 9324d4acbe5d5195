#pragma once

#include <string>

#include "base/json.h"
#include "verifier/tokens/signing_keys.h"

namespace verifier {

/// Signs tokens that relying parties check through OpenID Connect discovery: RS256, the key named by its `kid`.
class OidcSigner {
 public:
  explicit OidcSigner(SigningKeys keys) : keys_(std::move(keys)) {}

  /// A compact JWS with header {"alg":"RS256","kid":...,"typ":"JWT"}.
  std::string sign(const base::Json& claims) const;

  /// What is published.
  base::Json jwks() const { return keys_.jwks(); }
  const std::string& active_key_id() const noexcept { return keys_.active().key_id(); }

 private:
  SigningKeys keys_;
};

}  // namespace verifier
