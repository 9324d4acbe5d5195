#include "verifier/tokens/signing_key.h"

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "evidence/jose.h"
#include "tests/unit/catch.h"

namespace {

using base::Json;
using verifier::SigningKey;

std::string parse_failure(const Json& jwk) {
  try {
    SigningKey::parse(base::JsonObject(jwk, "key"));
    return "parsed";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string token_of(const SigningKey& key) {
  return evidence::sign_jwt([&](base::ByteView bytes) { return key.sign(bytes); }, {{"kid", key.key_id()}}, {{"a", 1}});
}

}  // namespace

TEST_CASE("a signing key survives storage, and its public part verifies what it signs") {
  const SigningKey made = SigningKey::generate();
  const Json stored = made.private_jwk();
  const SigningKey again = SigningKey::parse(base::JsonObject(stored, "key"));
  CHECK(again.key_id() == made.key_id());
  CHECK(again.private_jwk() == stored);
  const auto published = evidence::parse_jwks(Json{{"keys", {made.public_jwk()}}}.dump(), "jwks");
  CHECK(evidence::verify_jwt(token_of(again), published) == Json{{"a", 1}});
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi"}) CHECK_FALSE(made.public_jwk().contains(secret));
}

TEST_CASE("what is no complete RSA key that fits itself is refused") {
  const Json good = SigningKey::generate().private_jwk();
  const auto with = [&](const char* member, const Json& value) {
    Json changed = good;
    changed[member] = value;
    return parse_failure(changed);
  };
  CHECK(parse_failure(good) == "parsed");
  CHECK(with("kty", "EC") == "key.kty: is not RSA");
  CHECK(with("kid", "") == "key.kid: is empty");
  for (const char* member : {"n", "e", "d", "p", "q", "dp", "dq", "qi"}) {
    CAPTURE(member);
    CHECK(with(member, nullptr) == std::string("key.") + member + ": is missing");
    CHECK_THAT(with(member, "*"), ContainsSubstring(std::string("key.") + member));
  }
  const Json other = SigningKey::generate().private_jwk();
  CHECK(with("n", other["n"]) == "key: its private part does not fit its public part");
}

TEST_CASE("an RSA key that is too short is refused") {
  const base::EvpPkeyPtr small(EVP_RSA_gen(1024));
  Json jwk = evidence::public_jwk(*small);
  for (const char* member : {"d", "p", "q", "dp", "dq", "qi"}) jwk[member] = jwk["e"];
  CHECK_THAT(parse_failure(jwk), ContainsSubstring("1024 bits"));
}
