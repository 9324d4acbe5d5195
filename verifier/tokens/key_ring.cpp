#include "verifier/tokens/key_ring.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace verifier {
namespace {

/// A key must not sign sooner than was said because its file has no fractions.
base::WallTime up_to_second(base::WallTime time) { return std::chrono::ceil<std::chrono::seconds>(time); }

/// Two keys of one time sign in the order in which they stand.
bool has_begun(const RingKey& key, base::WallTime now) { return key.signs_from && *key.signs_from <= now; }

}  // namespace

std::string_view name_of(KeyState state) {
  switch (state) {
    case KeyState::kPublished: return "published";
    case KeyState::kScheduled: return "scheduled";
    case KeyState::kSigning: return "signing";
    case KeyState::kRetiring: return "retiring";
    case KeyState::kRetired: return "retired";
  }
  throw base::Error("unknown state of a key");
}

const RingKey& KeyRing::signing(base::WallTime now) const {
  const RingKey* latest = nullptr;
  const RingKey* earliest = nullptr;  // for a clock that has gone back behind all of them
  for (const RingKey& key : keys_) {
    if (!key.signs_from) continue;
    if (has_begun(key, now) && (latest == nullptr || *key.signs_from >= *latest->signs_from)) latest = &key;
    if (earliest == nullptr || *key.signs_from < *earliest->signs_from) earliest = &key;
  }
  if (latest != nullptr) return *latest;
  if (earliest != nullptr) return *earliest;
  throw base::Error("no key signs tokens");
}

std::optional<base::WallTime> KeyRing::superseded_at(const RingKey& key, base::WallTime now) const {
  std::optional<base::WallTime> at;
  for (const RingKey& other : keys_) {
    const bool follows =
        has_begun(other, now) && &other != &key &&
        (*other.signs_from > *key.signs_from || (*other.signs_from == *key.signs_from && &other > &key));
    if (follows && (!at || *other.signs_from < *at)) at = other.signs_from;
  }
  return at;
}

std::optional<base::WallTime> KeyRing::tokens_end(const RingKey& key, base::WallTime now) const {
  if (!has_begun(key, now) || &signing(now) == &key) return std::nullopt;
  return superseded_at(key, now).value_or(now) + key.longest_token;
}

KeyState KeyRing::state_of(const RingKey& key, base::WallTime now) const {
  if (&signing(now) == &key) return KeyState::kSigning;
  if (!key.signs_from) return KeyState::kPublished;
  const auto end = tokens_end(key, now);
  if (!end) return KeyState::kScheduled;
  return *end > now ? KeyState::kRetiring : KeyState::kRetired;
}

const RingKey& KeyRing::at(std::string_view key_id) const {
  const auto found = std::ranges::find(keys_, key_id, [](const RingKey& key) { return key.key.key_id(); });
  if (found == keys_.end()) throw base::Error("there is no key \"" + std::string(key_id) + "\"");
  return *found;
}

RingKey& KeyRing::find(std::string_view key_id) { return keys_[static_cast<std::size_t>(&at(key_id) - keys_.data())]; }

void KeyRing::expect_room() const {
  if (keys_.size() >= kMaxKeys) throw base::Error("there are " + std::to_string(kMaxKeys) + " keys: retire one first");
}

void KeyRing::add(SigningKey key, base::WallTime now) {
  expect_room();
  const auto is_same = [&](const RingKey& other) { return other.key.key_id() == key.key_id(); };
  if (std::ranges::any_of(keys_, is_same)) throw base::Error("key " + key.key_id() + " is there already");
  keys_.push_back({.key = std::move(key), .created = up_to_second(now)});
}

base::WallTime KeyRing::promote(std::string_view key_id, const KeyPolicy& policy, base::WallTime now, bool at_once) {
  RingKey& key = find(key_id);
  if (&signing(now) == &key) throw base::Error("key " + std::string(key_id) + " signs already");
  key.signs_from = at_once || has_begun(key, now) ? now : up_to_second(std::max(now, key.created + policy.publication));
  key.longest_token = std::max(key.longest_token, policy.token_lifetime);
  // Behind those of the same time, so that it is this one that signs then.
  std::rotate(keys_.begin() + (&key - keys_.data()), keys_.begin() + (&key - keys_.data()) + 1, keys_.end());
  return *keys_.back().signs_from;
}

void KeyRing::retire(std::string_view key_id, base::WallTime now, bool at_once) {
  RingKey& key = find(key_id);
  if (&signing(now) == &key) {
    throw base::Error("key " + std::string(key_id) + " signs: promote another one first");
  }
  const auto end = tokens_end(key, now);
  if (!at_once && end && *end > now) {
    throw base::Error("tokens of key " + std::string(key_id) + " live until " + base::to_rfc3339(*end));
  }
  keys_.erase(keys_.begin() + (&key - keys_.data()));
}

bool KeyRing::tend(const KeyPolicy& policy, base::WallTime now, const std::function<std::optional<NewKey>()>& make) {
  bool changed = false;
  RingKey& signer = find(signing(now).key.key_id());
  if (signer.longest_token < policy.token_lifetime) {
    signer.longest_token = policy.token_lifetime;
    changed = true;
  }
  if (!policy.key_lifetime) return changed;
  std::vector<std::string> retired;
  for (const RingKey& key : keys_) {
    if (state_of(key, now) == KeyState::kRetired) retired.push_back(key.key.key_id());
  }
  for (const std::string& key_id : retired) retire(key_id, now);
  changed |= !retired.empty();
  const auto is_to_come = [&](const RingKey& key) { return key.signs_from && *key.signs_from > now; };
  if (std::ranges::any_of(keys_, is_to_come)) return changed;
  if (signing(now).signs_from.value() + *policy.key_lifetime - policy.publication > now) return changed;
  std::optional<NewKey> next = make();
  if (!next) return changed;
  add(std::move(next->key), next->at);
  const std::string key_id = keys_.back().key.key_id();
  promote(key_id, policy, next->at);
  return true;
}

base::Json KeyRing::jwks() const {
  base::Json keys = base::Json::array();
  for (const RingKey& key : keys_) keys.push_back(key.key.public_jwk());
  return {{"keys", std::move(keys)}};
}

}  // namespace verifier
