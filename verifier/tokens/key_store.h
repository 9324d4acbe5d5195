#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "verifier/tokens/key_ring.h"

namespace verifier {

inline constexpr const char* kSigningKeysFile = "signing-keys.json";

/// The keys in the state folder: a JWKS as SigningKey::stored_jwk() has it, mode 0600, whose keys have these members of
/// ours beside:
///   "created", "signs_from"   RFC 3339; without the second the key does not sign
///   "longest_token"           seconds
/// A file without them, of the first versions, has the key that signs in front. Whoever changes the file holds the
/// folder's lock.
///
/// What throws, throws Error that names the file, also when the folder or the file is open to other users; or that
/// names the token.
class KeyStore {
 public:
  /// `token`: where new keys are made, and where those are that the file only names. Without it they are in the file.
  explicit KeyStore(std::filesystem::path state_directory, SigningKey::Pkcs11 token = nullptr)
      : state_directory_(std::move(state_directory)), token_(std::move(token)) {}

  const std::filesystem::path& state_directory() const noexcept { return state_directory_; }

  /// Makes the folder, and a key that signs, where there is none.
  KeyRing open(base::WallTime now) const;
  /// What there is, as it is; there must be a key.
  KeyRing look(base::WallTime now) const;
  /// The same, and dates are written into a file of the first versions.
  KeyRing read(base::WallTime now) const;

  /// What `change` makes of the keys is written when it returns true. Then keys that went are destroyed, if they were
  /// made on the token; when it could not be written, keys that came. Returns what there is then.
  KeyRing change(base::WallTime now, const std::function<bool(KeyRing&)>& change) const;

  /// Makes a key, or takes that of this CKA_ID from the token, and publishes it from then on.
  SigningKey add(const std::optional<base::Bytes>& pkcs11_id, const std::function<base::WallTime()>& now) const;
  SigningKey make_key() const { return token_ ? SigningKey::generate(token_) : SigningKey::generate(); }

 private:
  std::filesystem::path state_directory_;
  SigningKey::Pkcs11 token_;
};

}  // namespace verifier
