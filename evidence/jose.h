#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"

namespace evidence {

/// A JSON Web Key (RFC 7517).
class Jwk {
 public:
  /// A new RSA key of `bits` with `kid` = its RFC 7638 thumbprint in hexadecimal.
  static Jwk generate_rsa(std::size_t bits);
  /// Throws InvalidInput(`field`).
  static Jwk parse(std::string_view json, const std::string& field);
  Jwk(Jwk&&) noexcept;
  Jwk& operator=(Jwk&&) noexcept;
  ~Jwk();

  const std::string& key_id() const noexcept { return key_id_; }
  /// With the private part; a secret.
  std::string private_json() const;
  /// {"kty","n","e","kid","alg","use"}
  base::Json public_json() const;

  struct Impl;

 private:
  friend std::string sign_jwt(const Jwk& key, const base::Json& header, const base::Json& claims);
  friend base::Json verify_jwt(std::string_view jwt, const std::vector<Jwk>& keys);
  explicit Jwk(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string key_id_;
};

/// The keys of a JWKS document; throws InvalidInput(`field`).
std::vector<Jwk> parse_jwks(std::string_view json, const std::string& field);
base::Json jwks_json(const std::vector<const Jwk*>& keys);

/// {"kid":...,"typ":"JWT"}: the header of a JWT whose key is known by its id.
base::Json jwt_header(const Jwk& key);

/// A compact JWS, RS256. `header` is an object of what the header says beside "alg", which is the key's:
/// strings, arrays and objects.
std::string sign_jwt(const Jwk& key, const base::Json& header, const base::Json& claims);

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
