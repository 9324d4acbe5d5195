#include "verifier/tokens/signers.h"

#include <chrono>

#include "base/private_directory.h"
#include "evidence/jose.h"
#include "evidence/refusal.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/pki_files.h"
#include "tests/unit/verifier/support/soft_token.h"
#include "verifier/tokens/key_store.h"

namespace {

using namespace std::chrono_literals;
using evidence::TokenType;

const base::WallTime kSignersNow = base::from_unix_seconds(1800000000);
const base::Json kClaims = {{"exp", 1800003600}};

}  // namespace

TEST_CASE("the kind of a token decides who signs it") {
  const base::PrivateDirectory directory("cs-test");
  const auto state = directory.path() / "state";
  const verifier::KeyStore keys(state);
  const auto without = verifier::open_signers(keys, {}, kSignersNow);
  for (const TokenType type : {TokenType::kOidc, TokenType::kAwsPrincipalTags, TokenType::kLimitedAws}) {
    const auto header = evidence::read_unverified_jwt(without->sign(type, kClaims, kSignersNow)).header;
    CHECK(header["kid"] == without->oidc.keys().keys().front().key.key_id());
    CHECK_FALSE(header.contains("x5c"));
  }
  CHECK_THROWS_AS(without->sign(TokenType::kPki, kClaims, kSignersNow), evidence::Refusal);
  test::PkiFiles::shared().copy_into(state);
  const auto with = verifier::load_signers(keys, {}, kSignersNow);
  CHECK(evidence::read_unverified_jwt(with->sign(TokenType::kPki, kClaims, kSignersNow)).header["x5c"].size() == 3);

  INFO("a leaf is made anew in time, and not before");
  const auto soon = verifier::tend_signers(*with, keys, {}, kSignersNow + 1h);
  CHECK(soon->pki == with->pki);
  const auto half_way = kSignersNow + verifier::kLeafLifetime / 2;
  const auto later = verifier::tend_signers(*with, keys, {}, half_way);
  CHECK(later->pki != with->pki);
  CHECK(later->pki->serves_at(half_way));
  INFO("the clock was ahead (T 19)");
  const auto earlier = verifier::tend_signers(*with, keys, {}, kSignersNow - 24h);
  CHECK(earlier->pki != with->pki);
  CHECK(earlier->pki->serves_at(kSignersNow - 24h));
}

TEST_CASE("tending brings the next key when its time has come") {
  const base::PrivateDirectory directory("cs-test");
  const verifier::KeyStore keys(directory.path());
  verifier::KeyPolicy policy;
  policy.key_lifetime = 24h;
  const auto first = verifier::open_signers(keys, policy, kSignersNow);
  CHECK(verifier::tend_signers(*first, keys, policy, kSignersNow + 21h)->oidc.keys().keys().size() == 1);
  const auto second = verifier::tend_signers(*first, keys, policy, kSignersNow + 22h);
  CHECK(second->oidc.keys().keys().size() == 2);
  CHECK(keys.read(kSignersNow + 22h).keys().size() == 2);
}

TEST_CASE("trouble with a key that signs or will sign is told, and keeps nobody from the others") {
  const base::PrivateDirectory directory("cs-test");
  const test::SoftToken soft;
  const verifier::KeyStore keys(directory.path(), soft.open());
  CHECK(verifier::trouble_with_keys(*verifier::open_signers(keys, {}, kSignersNow), kSignersNow).empty());
  const auto next = keys.add({}, [] { return kSignersNow; });
  next.destroy();
  const auto load = [&] { return verifier::load_signers(keys, {}, kSignersNow); };
  CHECK(load()->oidc.keys().keys().size() == 2);
  CHECK(verifier::trouble_with_keys(*load(), kSignersNow).empty());
  keys.change(kSignersNow, [&](verifier::KeyRing& ring) {
    ring.promote(next.key_id(), {}, kSignersNow);
    return true;
  });
  CHECK(load()->oidc.keys().keys().size() == 2);
  CHECK_THAT(verifier::trouble_with_keys(*load(), kSignersNow),
             ContainsSubstring("key " + next.key_id()) && ContainsSubstring("no key of this id"));
}

TEST_CASE("keys that fill the ring keep nobody from the one that signs") {
  const base::PrivateDirectory directory("cs-test");
  const verifier::KeyStore keys(directory.path());
  verifier::KeyPolicy policy;
  policy.key_lifetime = 24h;
  verifier::open_signers(keys, policy, kSignersNow);
  const base::Json jwk = verifier::SigningKey::generate().stored_jwk();
  keys.change(kSignersNow, [&](verifier::KeyRing& ring) {
    while (ring.keys().size() < verifier::KeyRing::kMaxKeys) {
      base::Json named = jwk;
      named["kid"] = "key " + std::to_string(ring.keys().size());
      ring.add(verifier::SigningKey::parse(base::JsonObject(named, "key")), kSignersNow);
    }
    return true;
  });
  const auto full = verifier::load_signers(keys, policy, kSignersNow + 22h);
  CHECK(verifier::trouble_with_keys(*full, kSignersNow + 22h) ==
        "the key that is to follow can't be made: there are 16 keys: retire one first");
}

TEST_CASE("while a token is away the keys that there are go on, and the next one is made once it is back") {
  const base::PrivateDirectory directory("cs-test");
  const test::SoftToken soft;
  verifier::KeyPolicy policy;
  policy.key_lifetime = 24h;
  const auto first = verifier::open_signers(verifier::KeyStore(directory.path()), policy, kSignersNow);
  const auto due = kSignersNow + 22h;
  soft.take_out();
  std::filesystem::create_directory(soft.path() / "tokens");
  const verifier::KeyStore away(directory.path(), soft.open());
  const auto still = verifier::tend_signers(*first, away, policy, due);
  CHECK(still->oidc.keys().keys().size() == 1);
  CHECK_THAT(verifier::trouble_with_keys(*still, due), ContainsSubstring("no token is called so"));
  std::filesystem::remove(soft.path() / "tokens");
  soft.put_back();
  const auto second = verifier::tend_signers(*still, verifier::KeyStore(directory.path(), soft.open()), policy, due);
  CHECK(second->oidc.keys().keys().size() == 2);
  CHECK(verifier::trouble_with_keys(*second, due).empty());
}
