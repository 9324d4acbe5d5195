#pragma once

#include <string>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/json.h"
#include "base/openssl.h"
#include "evidence/jose.h"

namespace test {

/// Somebody who signs tokens with RS256: an issuer of ID tokens, or a verifier that is not ours.
class TokenIssuer {
 public:
  static constexpr unsigned kBits = 2048;

  TokenIssuer() : key_(EVP_RSA_gen(kBits)), public_key_(evidence::public_jwk(*key_)) {}

  const std::string& key_id() const { return public_key_.at("kid").get_ref<const std::string&>(); }
  const base::Json& public_key() const noexcept { return public_key_; }
  base::Json jwks() const { return {{"keys", {public_key_}}}; }
  std::vector<evidence::Jwk> keys() const { return evidence::parse_jwks(jwks().dump(), "jwks"); }

  /// A token whose header names the key.
  std::string sign(const base::Json& claims) const { return sign(claims, {{"kid", key_id()}}); }
  std::string sign(const base::Json& claims, base::Json header) const {
    const auto sign = [this](base::ByteView bytes) { return evidence::sign_rs256(*key_, bytes); };
    return evidence::sign_jwt(sign, std::move(header), claims);
  }

 private:
  base::EvpPkeyPtr key_;
  base::Json public_key_;
};

/// Made once: a key takes long.
inline const TokenIssuer& token_issuer() {
  static const TokenIssuer one;
  return one;
}

}  // namespace test
