#include "verifier/tokens/key_ring.h"

#include <chrono>
#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;
using base::WallTime;
using verifier::KeyPolicy;
using verifier::KeyRing;
using verifier::KeyState;
using verifier::SigningKey;

const WallTime kStart = base::from_unix_seconds(1800000000);

/// Made once, as keys take long: different ids, the same key.
SigningKey key_named(const std::string& id) {
  static const base::Json jwk = SigningKey::generate().stored_jwk();
  base::Json renamed = jwk;
  renamed["kid"] = id;
  return SigningKey::parse(base::JsonObject(renamed, "key"));
}

KeyPolicy policy() {
  KeyPolicy policy;
  policy.publication = 100s;
  policy.token_lifetime = 30s;
  return policy;
}

/// One key that signs from the start on.
KeyRing ring() {
  return KeyRing({{.key = key_named("first"), .created = kStart, .signs_from = kStart, .longest_token = 30s}});
}

std::string signer(const KeyRing& keys, WallTime now) { return keys.signing(now).key.key_id(); }

KeyState state(const KeyRing& keys, const std::string& id, WallTime now) {
  for (const auto& key : keys.keys()) {
    if (key.key.key_id() == id) return keys.state_of(key, now);
  }
  throw base::Error("no such key");
}

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
    return "done";
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a new key is published first, signs later, and stays until its last token is dead") {
  KeyRing keys = ring();
  keys.add(key_named("second"), kStart + 10s);
  CHECK(keys.jwks()["keys"].size() == 2);
  CHECK(state(keys, "second", kStart + 10s) == KeyState::kPublished);
  CHECK(signer(keys, kStart + 24h) == "first");  // it waits to be promoted
  const WallTime from = keys.promote("second", policy(), kStart + 20s);
  CHECK(from == kStart + 110s);
  CHECK(state(keys, "second", kStart + 20s) == KeyState::kScheduled);
  CHECK(signer(keys, from - 1s) == "first");
  CHECK(signer(keys, from) == "second");
  CHECK(state(keys, "first", from) == KeyState::kRetiring);
  CHECK(keys.tokens_end(keys.keys().front(), from) == from + 30s);
  CHECK(failure_of([&] { keys.retire("first", from + 29s); }) ==
        "tokens of key first live until " + base::to_rfc3339(from + 30s));
  CHECK(state(keys, "first", from + 30s) == KeyState::kRetired);
  keys.retire("first", from + 30s);
  CHECK(keys.jwks()["keys"].size() == 1);
}

TEST_CASE("a key that has been published for long enough signs at once") {
  KeyRing keys = ring();
  keys.add(key_named("second"), kStart);
  CHECK(keys.promote("second", policy(), kStart + 100s) == kStart + 100s);
  CHECK(signer(keys, kStart + 100s) == "second");
}

TEST_CASE("an old key can be promoted back, and an emergency is not made to wait") {
  KeyRing keys = ring();
  keys.add(key_named("second"), kStart);
  CHECK(keys.promote("second", policy(), kStart + 1s, true) == kStart + 1s);
  CHECK(signer(keys, kStart + 1s) == "second");
  CHECK(keys.promote("first", policy(), kStart + 2s) == kStart + 2s);
  CHECK(signer(keys, kStart + 2s) == "first");
  INFO("its tokens live, whatever it is called");
  CHECK(state(keys, "second", kStart + 2s) == KeyState::kRetiring);
  CHECK_THAT(failure_of([&] { keys.retire("second", kStart + 31s); }), ContainsSubstring("live until"));
  CHECK(failure_of([&] { keys.retire("second", kStart + 3s, true); }) == "done");
}

TEST_CASE("what makes no sense is refused") {
  KeyRing keys = ring();
  CHECK(failure_of([&] { keys.promote("first", policy(), kStart); }) == "key first signs already");
  CHECK(failure_of([&] { keys.promote("none", policy(), kStart); }) == "there is no key \"none\"");
  CHECK(failure_of([&] { keys.retire("first", kStart, true); }) == "key first signs: promote another one first");
  keys.add(key_named("second"), kStart);
  CHECK(failure_of([&] { keys.retire("second", kStart); }) == "done");  // it never signed
  for (std::size_t i = 1; i < KeyRing::kMaxKeys; ++i) keys.add(key_named(std::to_string(i)), kStart);
  CHECK_THAT(failure_of([&] { keys.add(key_named("more"), kStart); }), ContainsSubstring("there are 16 keys"));
}

TEST_CASE("a clock that goes back behind every key leaves the oldest") {
  KeyRing keys = ring();
  keys.add(key_named("second"), kStart);
  keys.promote("second", policy(), kStart + 100s);
  CHECK(signer(keys, kStart - 24h) == "first");
  CHECK_THROWS_WITH(KeyRing().signing(kStart), "no key signs tokens");
}

TEST_CASE("tokens that were given a longer life keep their key for longer") {
  KeyRing keys = ring();
  KeyPolicy longer = policy();
  longer.token_lifetime = 3600s;
  const auto no_key = []() -> verifier::NewKey { throw base::Error("no key is to be made"); };
  CHECK(keys.tend(longer, kStart, no_key));
  CHECK_FALSE(keys.tend(policy(), kStart, no_key));
  keys.add(key_named("second"), kStart);
  const WallTime from = keys.promote("second", policy(), kStart);
  CHECK(keys.tokens_end(keys.keys().front(), from) == from + 3600s);
}

TEST_CASE("a key that takes long to make is published for as long as any other before it signs") {
  KeyPolicy automatic = policy();
  automatic.key_lifetime = 300s;
  KeyRing keys = ring();
  const WallTime made = kStart + 300s + 7s;
  keys.tend(automatic, kStart + 300s, [&] { return verifier::NewKey{key_named("slow"), made}; });
  CHECK(keys.at("slow").created == made);
  CHECK(keys.at("slow").signs_from == made + automatic.publication);
}

TEST_CASE("dates are whole seconds, and none is early") {
  KeyRing keys = ring();
  keys.add(key_named("second"), kStart + 100ms);
  CHECK(keys.at("second").created == kStart + 1s);
  CHECK(keys.promote("second", policy(), kStart + 200ms) == kStart + 1s + policy().publication);
  keys.add(key_named("third"), kStart);
  const WallTime late = kStart + policy().publication + 300ms;
  CHECK(keys.promote("third", policy(), late) == kStart + policy().publication + 1s);
}

TEST_CASE("keys follow each other by themselves, and no token is ever without its key") {
  KeyPolicy automatic = policy();
  automatic.key_lifetime = 300s;
  KeyRing keys = ring();
  int made = 0;
  WallTime now = kStart;
  const auto make = [&] { return verifier::NewKey{key_named("key" + std::to_string(++made)), now}; };
  struct Seen {
    WallTime published;
    WallTime fetched;  ///< by a relying party that keeps what it has for as long as it may
    base::Json keys;
  } party{kStart, kStart, keys.jwks()};
  std::map<std::string, WallTime> tokens;  // the end of the last token of each key
  for (; now < kStart + 3000s; now += 1s) {
    keys.tend(automatic, now, make);
    const std::string id = signer(keys, now);
    tokens[id] = now + automatic.token_lifetime;
    const auto knows = [&](const std::string& key_id, const base::Json& jwks) {
      return std::ranges::any_of(jwks.at("keys"), [&](const base::Json& key) { return key.at("kid") == key_id; });
    };
    if (now - party.fetched >= automatic.cache_lifetime()) party = {now, now, keys.jwks()};
    CAPTURE(id, (now - kStart).count());
    REQUIRE(knows(id, party.keys));  // a token of now, with keys that are as old as they may be
    for (const auto& [key_id, end] : tokens) {
      if (end > now) REQUIRE(knows(key_id, keys.jwks()));
    }
    REQUIRE(keys.keys().size() <= 3);
  }
  CHECK(made == 10);
}
