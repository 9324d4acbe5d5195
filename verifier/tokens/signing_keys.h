#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "evidence/jose.h"

namespace verifier {

inline constexpr const char* kSigningKeysFile = "signing-keys.json";

/// The RS256 keys that sign tokens, kept in a JWKS file of mode 0600. The first signs; all are published, so that
/// tokens of a key that is about to go can still be verified.
class SigningKeys {
 public:
  /// Makes a key when `state_directory` holds none. Throws Error, also when the folder may be written to by others.
  static SigningKeys open(const std::filesystem::path& state_directory);

  std::string sign(const base::Json& claims) const { return evidence::sign_jwt(keys_.front(), claims); }
  /// Public parts only.
  base::Json jwks() const;
  const std::string& active_key_id() const noexcept { return keys_.front().key_id(); }

 private:
  explicit SigningKeys(std::vector<evidence::Jwk> keys) : keys_(std::move(keys)) {}

  std::vector<evidence::Jwk> keys_;
};

}  // namespace verifier
