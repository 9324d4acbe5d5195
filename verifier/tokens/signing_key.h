#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "verifier/tokens/pkcs11_token.h"

namespace verifier {

/// The CKA_ID of a key on a token, in hexadecimal. Throws InvalidInput(`field`).
base::Bytes parse_pkcs11_id(std::string_view text, std::string_view field);

/// The key is on a token that is away; it may come back.
class SigningKeyUnavailable : public base::Error {
 public:
  explicit SigningKeyUnavailable(const base::Error& cause);
};

/// An RSA key that signs tokens with RS256: its private part is in memory, or on a PKCS #11 token that signs. Copies
/// share it; signs on any thread.
class SigningKey {
 public:
  using Pkcs11 = std::shared_ptr<const Pkcs11Token>;

  /// A new one of 2048 bits in memory, or on the token, where none is left when it does not sign.
  static SigningKey generate();
  static SigningKey generate(const Pkcs11& token);
  /// One that somebody else has made on the token, found by its CKA_ID; it stays there when it is retired.
  static SigningKey adopt(Pkcs11 token, base::Bytes pkcs11_id);
  /// As stored_jwk() gives it. Throws InvalidInput that names the member, also when a key in memory does not sign what
  /// its public part verifies. What is on a token is not asked for.
  static SigningKey parse(const base::JsonObject& jwk, const Pkcs11& token = nullptr);

  /// The `kid`: for a new key its RFC 7638 thumbprint in hexadecimal.
  const std::string& key_id() const noexcept { return key_id_; }
  /// Of a key on a token its CKA_ID in hexadecimal; else empty.
  std::string pkcs11_id() const;
  /// {"kty","n","e","kid","alg","use"}
  base::Json public_jwk() const;
  /// Beside the public members the private part (RFC 7518, section 6.3.2), a secret; or, for a key on a token, of ours:
  ///   "pkcs11_id"       its CKA_ID in hexadecimal
  ///   "pkcs11_adopted"  true: somebody else has made it
  base::Json stored_jwk() const;
  /// Without its private part when that is on a token.
  const EVP_PKEY& key() const noexcept { return *key_; }

  /// Throws SigningKeyUnavailable, and Error when the token refuses.
  base::Bytes sign(base::ByteView bytes) const;
  /// Throws Error, or SigningKeyUnavailable, unless it signs what its public part verifies.
  void expect_signs() const;
  /// Of a key that was made on a token: destroys it there. What can't be destroyed stays, used by nobody, and is a
  /// warning in the log. Otherwise nothing.
  void destroy() const;

 private:
  struct OnToken {
    Pkcs11 token;
    base::Bytes id;
    bool is_adopted = false;
  };

  SigningKey(std::shared_ptr<EVP_PKEY> key, std::string key_id, std::shared_ptr<const OnToken> on_token = nullptr);
  static SigningKey from_token(OnToken on_token);

  std::shared_ptr<EVP_PKEY> key_;
  std::string key_id_;
  std::shared_ptr<const OnToken> on_token_;
};

}  // namespace verifier
