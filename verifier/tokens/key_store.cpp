#include "verifier/tokens/key_store.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "verifier/tokens/secret_file.h"

namespace verifier {
namespace {

using base::Json;
using base::JsonObject;

constexpr std::size_t kMaxKeysFileBytes = std::size_t{1} << 20U;
constexpr mode_t kStateMode = 0700;
constexpr mode_t kKeysFileMode = 0600;

RingKey parse_ring_key(const JsonObject& json, const SigningKey::Pkcs11& token) {
  RingKey ring_key{.key = SigningKey::parse(json, token), .created = {}};
  ring_key.created = json.optional_time("created").value_or(base::WallTime{});
  ring_key.signs_from = json.optional_time("signs_from");
  ring_key.longest_token = std::chrono::seconds(json.optional_unsigned("longest_token").value_or(0));
  if (ring_key.longest_token > kMaxTokenLifetime) {
    throw base::InvalidInput(json.path() + ".longest_token", "is longer than any token lives");
  }
  return ring_key;
}

/// Of the first versions: nothing is known of how long keys are published, and all of them may have signed.
void add_dates(std::vector<RingKey>& keys, base::WallTime now) {
  for (RingKey& key : keys) key.signs_from = base::WallTime{};
  keys.front().signs_from = now;
  for (RingKey& key : keys) key.longest_token = kMaxTokenLifetime;
}

struct KeysFile {
  KeyRing ring;
  bool has_dates = false;
};

KeysFile read_keys_file(const std::filesystem::path& path, const SigningKey::Pkcs11& token, base::WallTime now) {
  expect_secret(path);
  const Json parsed =
      base::parse_json(base::read_text_file(path, kMaxKeysFileBytes), path.string(), {.max_bytes = kMaxKeysFileBytes});
  const JsonObject document(parsed, path.string());
  document.expect_only({"keys"});
  std::vector<RingKey> keys;
  bool has_dates = false;
  for (const JsonObject& key : document.objects_or_empty("keys")) {
    has_dates |= key.has("signs_from");
    keys.push_back(parse_ring_key(key, token));
    if (keys.size() > KeyRing::kMaxKeys) throw base::Error(path.string() + " holds too many keys");
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
      if (keys[i].key.key_id() == keys.back().key.key_id()) {
        throw base::InvalidInput(key.path() + ".kid", "stands twice");
      }
    }
  }
  if (keys.empty()) throw base::Error(path.string() + " holds no key");
  if (!has_dates) add_dates(keys, now);
  return {KeyRing(std::move(keys)), has_dates};
}

void write_ring(const base::FileDescriptor& directory, const KeyRing& ring) {
  Json keys = Json::array();
  for (const RingKey& ring_key : ring.keys()) {
    Json json = ring_key.key.stored_jwk();
    json["created"] = base::to_rfc3339(ring_key.created);
    if (ring_key.signs_from) json["signs_from"] = base::to_rfc3339(*ring_key.signs_from);
    json["longest_token"] = ring_key.longest_token.count();
    keys.push_back(std::move(json));
  }
  const std::string text = Json{{"keys", std::move(keys)}}.dump(2) + "\n";
  base::replace_file(directory, kSigningKeysFile, base::view_of(text), kKeysFileMode);
}

/// Those of `keys` that are not among `others`.
void destroy_all_but(const std::vector<RingKey>& others, const std::vector<RingKey>& keys) {
  for (const RingKey& key : keys) {
    const auto is_same = [&](const RingKey& other) { return other.key.key_id() == key.key.key_id(); };
    if (!std::ranges::any_of(others, is_same)) key.key.destroy();
  }
}

}  // namespace

KeyRing KeyStore::open(base::WallTime now) const {
  {
    const base::FileDescriptor directory = base::open_private_directory(state_directory_, kStateMode);
    base::wait_for_directory_lock(directory);
    if (!std::filesystem::exists(state_directory_ / kSigningKeysFile)) {
      const SigningKey first = make_key();
      try {
        write_ring(directory, KeyRing({{.key = first, .created = now, .signs_from = now}}));
      } catch (...) {
        first.destroy();
        throw;
      }
    }
  }
  return read(now);
}

KeyRing KeyStore::look(base::WallTime now) const {
  const base::FileDescriptor directory = base::open_private_directory(state_directory_, kStateMode);
  base::wait_for_directory_lock(directory);
  return read_keys_file(state_directory_ / kSigningKeysFile, token_, now).ring;
}

KeyRing KeyStore::read(base::WallTime now) const {
  return change(now, [](KeyRing&) { return false; });
}

KeyRing KeyStore::change(base::WallTime now, const std::function<bool(KeyRing&)>& change) const {
  const base::FileDescriptor directory = base::open_private_directory(state_directory_, kStateMode);
  base::wait_for_directory_lock(directory);
  KeysFile file = read_keys_file(state_directory_ / kSigningKeysFile, token_, now);
  const std::vector<RingKey> before = file.ring.keys();
  bool changed = false;
  try {
    changed = change(file.ring);
    if (changed || !file.has_dates) write_ring(directory, file.ring);
  } catch (...) {
    destroy_all_but(before, file.ring.keys());
    throw;
  }
  if (changed) destroy_all_but(file.ring.keys(), before);
  return std::move(file.ring);
}

SigningKey KeyStore::add(const std::optional<base::Bytes>& pkcs11_id,
                         const std::function<base::WallTime()>& now) const {
  if (pkcs11_id && !token_) throw base::Error("no pkcs11 is configured");
  read(now()).expect_room();
  // Made before the state is locked, as it takes long.
  SigningKey key = pkcs11_id ? SigningKey::adopt(token_, *pkcs11_id) : make_key();
  bool is_added = false;
  try {
    change(now(), [&](KeyRing& keys) {
      keys.add(key, now());
      return is_added = true;
    });
  } catch (...) {
    if (!is_added) key.destroy();
    throw;
  }
  return key;
}

}  // namespace verifier
