#include "verifier/tokens/signing_key.h"

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "evidence/jose.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/soft_token.h"

namespace {

using base::Bytes;
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
  const Json stored = made.stored_jwk();
  const SigningKey again = SigningKey::parse(base::JsonObject(stored, "key"));
  CHECK(again.key_id() == made.key_id());
  CHECK(again.stored_jwk() == stored);
  const auto published = evidence::parse_jwks(Json{{"keys", {made.public_jwk()}}}.dump(), "jwks");
  CHECK(evidence::verify_jwt(token_of(again), published) == Json{{"a", 1}});
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi"}) CHECK_FALSE(made.public_jwk().contains(secret));
}

TEST_CASE("what is no complete RSA key that fits itself is refused") {
  const Json good = SigningKey::generate().stored_jwk();
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
  const Json other = SigningKey::generate().stored_jwk();
  CHECK(with("n", other["n"]) == "key: its private part does not fit its public part");
}

TEST_CASE("an RSA key that is too short is refused") {
  const base::EvpPkeyPtr small(EVP_RSA_gen(1024));
  Json jwk = evidence::public_jwk(*small);
  for (const char* member : {"d", "p", "q", "dp", "dq", "qi"}) jwk[member] = jwk["e"];
  CHECK_THAT(parse_failure(jwk), ContainsSubstring("1024 bits"));
}

TEST_CASE("a key on a token is stored by its name there, and signs what is verified with its public part") {
  const test::SoftToken soft;
  const auto token = soft.open();
  const SigningKey made = SigningKey::generate(token);
  const Json stored = made.stored_jwk();
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi"}) CHECK_FALSE(stored.contains(secret));
  CHECK(stored["pkcs11_id"].get<std::string>().size() == 32);
  CHECK(made.pkcs11_id() == stored["pkcs11_id"].get<std::string>());
  CHECK(SigningKey::generate().pkcs11_id().empty());
  CHECK(made.public_jwk()["kid"] == evidence::public_jwk(made.key())["kid"]);
  CHECK_FALSE(made.public_jwk().contains("pkcs11_id"));
  const SigningKey again = SigningKey::parse(base::JsonObject(stored, "key"), token);
  CHECK(again.stored_jwk() == stored);
  again.expect_signs();
  const auto published = evidence::parse_jwks(Json{{"keys", {made.public_jwk()}}}.dump(), "jwks");
  CHECK(evidence::verify_jwt(token_of(again), published) == Json{{"a", 1}});
  CHECK(parse_failure(stored) == "key.pkcs11_id: is on a token, and no pkcs11 is configured");

  INFO("one that was put into the place of another does not sign for it");
  Json mixed = stored;
  mixed["pkcs11_id"] = SigningKey::generate(token).stored_jwk()["pkcs11_id"];
  CHECK_THROWS_WITH(SigningKey::parse(base::JsonObject(mixed, "key"), token).expect_signs(),
                    "its private part does not fit its public part");
  made.destroy();
  CHECK_THROWS_WITH(again.sign(Bytes{1}), ContainsSubstring("no key of this id"));
}

TEST_CASE("a key that others made on a token is taken as it is, and left there") {
  const test::SoftToken soft;
  const auto token = soft.open();
  const Bytes id = token->generate_rsa(2048);
  const SigningKey adopted = SigningKey::adopt(token, id);
  CHECK(adopted.stored_jwk()["pkcs11_adopted"] == true);
  const SigningKey again = SigningKey::parse(base::JsonObject(adopted.stored_jwk(), "key"), token);
  again.destroy();
  again.expect_signs();
  CHECK_THROWS_WITH(SigningKey::adopt(token, Bytes{1}), ContainsSubstring("no key of this id"));
}

TEST_CASE("a key on a token that is away is told apart from one that is not there") {
  const test::SoftToken soft;
  const Json stored = SigningKey::generate(soft.open()).stored_jwk();
  soft.take_out();
  std::filesystem::create_directory(soft.path() / "tokens");
  const SigningKey elsewhere = SigningKey::parse(base::JsonObject(stored, "key"), soft.open());
  CHECK_THROWS_AS(elsewhere.sign(Bytes{1}), verifier::SigningKeyUnavailable);
}
