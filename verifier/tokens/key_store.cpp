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

/// Behind the file that no longer names them: what is cut off in between leaves a key on the token that nobody uses.
void destroy_gone(const std::vector<RingKey>& before, const KeyRing& after) {
  for (const RingKey& old : before) {
    const auto is_same = [&](const RingKey& key) { return key.key.key_id() == old.key.key_id(); };
    if (std::ranges::any_of(after.keys(), is_same)) continue;
    try {
      old.key.destroy();
    } catch (const base::Error& error) {
      throw error.in_context("key " + old.key.key_id() + " is retired, but still on its token");
    }
  }
}

}  // namespace

KeyRing KeyStore::open(base::WallTime now) const {
  {
    const base::FileDescriptor directory = base::open_private_directory(state_directory_, kStateMode);
    base::wait_for_directory_lock(directory);
    if (!std::filesystem::exists(state_directory_ / kSigningKeysFile)) {
      write_ring(directory, KeyRing({{.key = make_key(), .created = now, .signs_from = now}}));
    }
  }
  return read(now);
}

SigningKey KeyStore::adopt_key(base::Bytes pkcs11_id) const {
  if (!token_) throw base::Error("no pkcs11 is configured");
  return SigningKey::adopt(token_, std::move(pkcs11_id));
}

KeyRing KeyStore::read(base::WallTime now) const {
  return change(now, [](KeyRing&) { return false; });
}

KeyRing KeyStore::change(base::WallTime now, const std::function<bool(KeyRing&)>& change) const {
  const base::FileDescriptor directory = base::open_private_directory(state_directory_, kStateMode);
  base::wait_for_directory_lock(directory);
  KeysFile file = read_keys_file(state_directory_ / kSigningKeysFile, token_, now);
  const std::vector<RingKey> before = file.ring.keys();
  const bool changed = change(file.ring);
  if (changed || !file.has_dates) write_ring(directory, file.ring);
  if (changed) destroy_gone(before, file.ring);
  return std::move(file.ring);
}

}  // namespace verifier
