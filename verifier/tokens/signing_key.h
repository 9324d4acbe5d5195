#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/json.h"

namespace verifier {

/// An RSA key that signs tokens with RS256. Copies share it; signs on any thread.
class SigningKey {
 public:
  /// A new one of 2048 bits.
  static SigningKey generate();
  /// Its JSON Web Key with the private part (RFC 7518, section 6.3.2). Throws InvalidInput that names the member, also
  /// when it does not sign what its public part verifies.
  static SigningKey parse(const base::JsonObject& jwk);

  /// The `kid`: for a new key its RFC 7638 thumbprint in hexadecimal.
  const std::string& key_id() const noexcept { return key_id_; }
  /// {"kty","n","e","kid","alg","use"}
  base::Json public_jwk() const;
  /// With the private part; a secret.
  base::Json private_jwk() const;
  const EVP_PKEY& key() const noexcept { return *key_; }

  base::Bytes sign(base::ByteView bytes) const;

 private:
  SigningKey(std::shared_ptr<EVP_PKEY> key, std::string key_id);

  std::shared_ptr<EVP_PKEY> key_;
  std::string key_id_;
};

}  // namespace verifier
