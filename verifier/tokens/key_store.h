#pragma once

#include <filesystem>
#include <functional>

#include "base/clock.h"
#include "verifier/tokens/key_ring.h"

namespace verifier {

inline constexpr const char* kSigningKeysFile = "signing-keys.json";

// The keys in the state folder: a JWKS with private parts, mode 0600, whose keys have these members of ours beside:
//   "created", "signs_from"   RFC 3339; without the second the key does not sign
//   "longest_token"           seconds
// A file without them, of the first versions, has the key that signs in front. Whoever changes the file holds the
// folder's lock.
//
// All of these throw Error that names the file, also when the folder or the file is open to other users.

/// Makes the folder, and a key that signs, where there is none.
KeyRing open_keys(const std::filesystem::path& state_directory, base::WallTime now);
/// The same, but there must be one.
KeyRing read_keys(const std::filesystem::path& state_directory, base::WallTime now);

/// What `change` makes of the keys is written when it returns true. Returns what there is then.
KeyRing change_keys(const std::filesystem::path& state_directory, base::WallTime now,
                    const std::function<bool(KeyRing&)>& change);

}  // namespace verifier
