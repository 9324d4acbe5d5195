#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/json.h"

namespace evidence {

/// A public JSON Web Key (RFC 7517) to verify with.
class Jwk {
 public:
  /// Throws InvalidInput(`field`).
  static Jwk parse(std::string_view json, const std::string& field);
  Jwk(Jwk&&) noexcept;
  Jwk& operator=(Jwk&&) noexcept;
  ~Jwk();

  const std::string& key_id() const noexcept { return key_id_; }

  struct Impl;

 private:
  friend base::Json verify_jwt(std::string_view jwt, const std::vector<Jwk>& keys);
  explicit Jwk(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string key_id_;
};

/// The keys of a JWKS document; throws InvalidInput(`field`).
std::vector<Jwk> parse_jwks(std::string_view json, const std::string& field);

/// The public part of an RSA key, as it is published: {"kty","n","e","kid","alg","use"}, with the key's RFC 7638
/// thumbprint in hexadecimal as its id.
base::Json public_jwk(const EVP_PKEY& rsa);

/// A number of an RSA key as a member of its JSON Web Key (RFC 7518, section 6.3), by OpenSSL's name of the parameter;
/// a secret when that is one of the private part.
std::string rsa_jwk_member(const EVP_PKEY& rsa, const char* parameter);

/// RSASSA-PKCS1-v1_5 with SHA-256. `rsa` has its private part.
base::Bytes sign_rs256(const EVP_PKEY& rsa, base::ByteView bytes);

/// The same, wherever the key is.
using SignRs256 = std::function<base::Bytes(base::ByteView)>;

/// A compact JWS, RS256, of the JWT `claims`. `header` is what the header says beside "alg" and "typ".
std::string sign_jwt(const SignRs256& sign, base::Json header, const base::Json& claims);

/// The claims of a JWT signed by the key in `keys` that its header names, with RS256 or ES256. Throws
/// InvalidInput("token"). Says nothing of the claims.
base::Json verify_jwt(std::string_view jwt, const std::vector<Jwk>& keys);

struct UnverifiedJwt {
  base::Json header;
  base::Json claims;
};
/// Reads a compact JWS without checking its signature. Throws InvalidInput("token"), also for alg "none".
UnverifiedJwt read_unverified_jwt(std::string_view jwt);

inline constexpr std::size_t kMaxJwtBytes = std::size_t{1} << 20U;

}  // namespace evidence
