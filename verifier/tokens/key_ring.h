#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/tokens/signing_key.h"

namespace verifier {

/// No token lives longer.
inline constexpr std::chrono::hours kMaxTokenLifetime{24};

/// How keys come and go.
struct KeyPolicy {
  /// For how long a new key is published before it signs. Relying parties may keep what is published for half of it.
  std::chrono::seconds publication{7200};
  std::chrono::seconds token_lifetime{3600};
  /// After which another key takes over by itself.
  std::optional<std::chrono::seconds> key_lifetime = {};

  std::chrono::seconds cache_lifetime() const { return publication / 2; }
};

enum class KeyState {
  kPublished,  ///< does not sign, and nobody has said when
  kScheduled,  ///< signs from a time to come
  kSigning,
  kRetiring,  ///< has signed; tokens of it may still live
  kRetired,   ///< no token of it lives
};
std::string_view name_of(KeyState state);

/// A key and its dates.
struct RingKey {
  SigningKey key;
  base::WallTime created;
  std::optional<base::WallTime> signs_from = {};
  std::chrono::seconds longest_token{0};  ///< the longest life that tokens of it were given
};

/// A key that was made, which takes long, and the time when it was: it is published from then on.
struct NewKey {
  SigningKey key;
  base::WallTime at;
};

/// The keys that sign tokens, one at a time: that whose `signs_from` is the latest that has come. All are published, so
/// that a relying party knows a key before its first token and until its last one is dead. Times are the caller's.
class KeyRing {
 public:
  static constexpr std::size_t kMaxKeys = 16;

  KeyRing() = default;
  explicit KeyRing(std::vector<RingKey> keys) : keys_(std::move(keys)) {}

  const std::vector<RingKey>& keys() const noexcept { return keys_; }
  const RingKey& signing(base::WallTime now) const;
  /// Throws Error when there is no such key.
  const RingKey& at(std::string_view key_id) const;
  KeyState state_of(const RingKey& key, base::WallTime now) const;
  /// When the last token of a key is dead that has signed; nothing for one that signs or has not.
  std::optional<base::WallTime> tokens_end(const RingKey& key, base::WallTime now) const;

  /// Throws Error when there are kMaxKeys.
  void expect_room() const;
  /// Published from now on; dates are kept in whole seconds, and so rounded up. Throws Error when there is no room, and
  /// for a key that is there already.
  void add(SigningKey key, base::WallTime now);
  /// Has the key sign as soon as relying parties know it, or with `at_once` from now on, whoever knows it; one that has
  /// signed before is known. Returns when. Throws Error when it signs already, and when there is no such key.
  base::WallTime promote(std::string_view key_id, const KeyPolicy& policy, base::WallTime now, bool at_once = false);
  /// Takes the key away. Throws Error for the key that signs and, unless `at_once`, for one of which tokens live.
  void retire(std::string_view key_id, base::WallTime now, bool at_once = false);

  /// What time brings: the life of tokens is noted, a key that has had its time gets its successor, and those that are
  /// retired go. Returns whether anything changed. `make` makes a key; when it can't, the next call tries again.
  bool tend(const KeyPolicy& policy, base::WallTime now, const std::function<std::optional<NewKey>()>& make);

  /// {"keys":[...]}: public parts only.
  base::Json jwks() const;

 private:
  RingKey& find(std::string_view key_id);
  /// From when another key signs in its place.
  std::optional<base::WallTime> superseded_at(const RingKey& key, base::WallTime now) const;

  std::vector<RingKey> keys_;
};

}  // namespace verifier
