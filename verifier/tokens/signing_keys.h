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
  /// The same, but it must hold one.
  static SigningKeys read(const std::filesystem::path& state_directory);

  const evidence::Jwk& active() const noexcept { return keys_.front(); }
  /// Public parts only.
  base::Json jwks() const;

 private:
  explicit SigningKeys(std::vector<evidence::Jwk> keys) : keys_(std::move(keys)) {}

  std::vector<evidence::Jwk> keys_;
};

}  // namespace verifier
