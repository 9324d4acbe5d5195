#pragma once

#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/tokens/key_ring.h"

namespace verifier {

/// Signs tokens that relying parties check through OpenID Connect discovery: RS256, the key named by its `kid`.
class OidcSigner {
 public:
  explicit OidcSigner(KeyRing keys) : keys_(std::move(keys)) {}

  /// A compact JWS with header {"alg":"RS256","kid":...,"typ":"JWT"}, of the key that signs at `now`.
  std::string sign(const base::Json& claims, base::WallTime now) const;

  const KeyRing& keys() const noexcept { return keys_; }

 private:
  KeyRing keys_;
};

}  // namespace verifier
