#include "evidence/jose.h"

#include <memory>
#include <string>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/token_issuer.h"

namespace {

using base::Json;
using evidence::Jwk;
using evidence::verify_jwt;

/// One key for all tests: making one takes long.
const std::vector<Jwk>& one_key() {
  static const std::vector<Jwk> keys = test::token_issuer().keys();
  return keys;
}

const Json kClaims = {{"iss", "https://issuer.example"}, {"aud", "someone"}, {"n", 5}};

std::string encoded(const std::string& text) { return base::base64url_encode(base::view_of(text)); }

std::string part(const std::string& jwt, int number) {
  std::size_t begin = 0;
  for (int i = 0; i < number; ++i) begin = jwt.find('.', begin) + 1;
  return jwt.substr(begin, jwt.find('.', begin) - begin);
}

std::string with_header(const std::string& jwt, const std::string& header) {
  return encoded(header) + jwt.substr(jwt.find('.'));
}

// RFC 7515, appendix A.3: an ES256 example; its key has no "kid" there, and its header none either.
constexpr const char* kEcKey = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                               R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"ec"})";
constexpr const char* kRfcEs256 =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
    "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// An ES256 token made by OpenSSL alone, and the public key.
struct Es256 {
  std::string key;
  std::string jwt;
};

Es256 make_es256_token() {
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  base::Bytes point(65);
  std::size_t length = 0;
  REQUIRE(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) ==
          1);
  const std::string signing_input = encoded(R"({"alg":"ES256","kid":"ec"})") + "." + encoded(kClaims.dump());
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  base::Bytes der(80);
  std::size_t size = der.size();
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  const base::ByteView input = base::view_of(signing_input);
  REQUIRE(EVP_DigestSign(context.get(), der.data(), &size, input.data(), input.size()) == 1);
  const unsigned char* cursor = der.data();
  const std::unique_ptr<ECDSA_SIG, base::FreeWith<ECDSA_SIG_free>> pair(
      d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  base::Bytes raw(64);
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + 32, 32);
  const base::ByteView coordinates = base::ByteView(point).subspan(1);
  const Json jwk = {{"kty", "EC"},
                    {"crv", "P-256"},
                    {"kid", "ec"},
                    {"x", base::base64url_encode(coordinates.first(32))},
                    {"y", base::base64url_encode(coordinates.subspan(32))}};
  return {jwk.dump(), signing_input + "." + base::base64url_encode(raw)};
}

std::vector<Jwk> keys_of(const std::string& json) {
  std::vector<Jwk> keys;
  keys.push_back(Jwk::parse(json, "key"));
  return keys;
}

}  // namespace

TEST_CASE("a token that was signed verifies and gives its claims back") {
  const std::string jwt = test::token_issuer().sign(kClaims);
  CHECK(verify_jwt(jwt, one_key()) == kClaims);
  const base::Bytes header = base::base64_decode(part(jwt, 0), "header");
  const auto ordered = nlohmann::ordered_json::parse(base::text_of(header));
  CHECK(ordered.dump() == R"({"alg":"RS256","kid":")" + one_key().front().key_id() + R"(","typ":"JWT"})");
}

TEST_CASE("a header says what it is told to, and the algorithm is the key's") {
  const Json header = {{"alg", "none"}, {"x5c", {"bGVhZg==", "cm9vdA=="}}};
  Json expected = header;
  expected["alg"] = "RS256";
  expected["typ"] = "JWT";
  CHECK(evidence::read_unverified_jwt(test::token_issuer().sign(kClaims, header)).header == expected);
}

TEST_CASE("a key's id is its RFC 7638 thumbprint") {
  const Json& key = test::token_issuer().public_key();
  base::Sha256 hash;
  hash.update(base::view_of(R"({"e":")" + key["e"].get<std::string>() + R"(","kty":"RSA","n":")" +
                            key["n"].get<std::string>() + R"("})"));
  CHECK(one_key().front().key_id() == base::hex_encode(hash.finish()));
}

TEST_CASE("an ES256 token verifies with its key only") {
  const Es256 made = make_es256_token();
  CHECK(verify_jwt(made.jwt, keys_of(made.key)) == kClaims);
  CHECK_THROWS_WITH(verify_jwt(made.jwt, keys_of(kEcKey)), ContainsSubstring("does not verify"));
  // A longer signature of the same numbers.
  const std::size_t dot = made.jwt.rfind('.');
  base::Bytes signature = base::base64_decode(made.jwt.substr(dot + 1), "signature");
  signature.insert(signature.begin(), 0);
  signature.insert(signature.begin() + 33, 0);
  CHECK_THROWS_WITH(verify_jwt(made.jwt.substr(0, dot + 1) + base::base64url_encode(signature), keys_of(made.key)),
                    ContainsSubstring("64 bytes"));
}

TEST_CASE("a key that is no RSA key signs nothing") {
  const base::EvpPkeyPtr key(EVP_EC_gen("P-256"));
  CHECK_THROWS_WITH(evidence::public_jwk(*key), ContainsSubstring("only RSA"));
}

TEST_CASE("a public key has exactly the public members") {
  const Json& key = test::token_issuer().public_key();
  std::vector<std::string> names;
  for (const auto& [name, value] : key.items()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"alg", "e", "kid", "kty", "n", "use"});
  CHECK(key["alg"] == "RS256");
  CHECK(key["use"] == "sig");
}

TEST_CASE("a key set goes out and comes back; keys for other purposes are passed over") {
  Json set = test::token_issuer().jwks();
  set["keys"].push_back(Json::parse(kEcKey));
  set["keys"].push_back({{"kty", "oct"}, {"k", "AAAA"}, {"kid", "symmetric"}});
  set["keys"].push_back({{"kty", "EC"}, {"crv", "P-384"}, {"kid", "curve"}});
  set["keys"].push_back({{"kty", "RSA"}, {"use", "enc"}, {"kid", "encryption"}});
  set["keys"].push_back({{"kty", "RSA"}, {"alg", "RS512"}, {"kid", "other hash"}});
  const auto keys = evidence::parse_jwks(set.dump(), "jwks");
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].key_id() == one_key().front().key_id());
  CHECK(keys[1].key_id() == "ec");
  CHECK(verify_jwt(test::token_issuer().sign(kClaims), keys) == kClaims);
}

TEST_CASE("a key set that is malformed is refused") {
  CHECK_THROWS_WITH(evidence::parse_jwks("{}", "jwks"), ContainsSubstring("jwks.keys"));
  CHECK_THROWS_WITH(evidence::parse_jwks(R"({"keys":[{"kty":"RSA","kid":"a"}]})", "jwks"),
                    ContainsSubstring("jwks.keys[0]"));
  CHECK_THROWS_WITH(evidence::parse_jwks(R"({"keys":[{"kid":"a"}]})", "jwks"), ContainsSubstring("jwks.keys[0].kty"));
  Json nameless = test::token_issuer().public_key();
  nameless.erase("kid");
  CHECK_THROWS_WITH(Jwk::parse(nameless.dump(), "key"), ContainsSubstring("key.kid"));
}

TEST_CASE("a key set has as many keys as the limit at most") {
  constexpr std::size_t kMaxKeys = 64;
  Json set = {{"keys", Json::array()}};
  for (std::size_t i = 0; i < kMaxKeys; ++i) set["keys"].push_back(Json::parse(kEcKey));
  CHECK_FALSE(evidence::parse_jwks(set.dump(), "jwks").empty());
  set["keys"].push_back(Json::parse(kEcKey));
  CHECK_THROWS_WITH(evidence::parse_jwks(set.dump(), "jwks"), "jwks.keys: too many keys");
}

TEST_CASE("small and huge RSA keys are refused") {
  Json key = test::token_issuer().public_key();
  key["n"] = base::base64url_encode(base::Bytes(128, 0xff));
  CHECK_THROWS_WITH(Jwk::parse(key.dump(), "key"), ContainsSubstring("1024 bits"));
  key["n"] = base::base64url_encode(base::Bytes(1024, 0xff));
  CHECK_NOTHROW(Jwk::parse(key.dump(), "key"));
  key["n"] = base::base64url_encode(base::Bytes(1025, 0xff));
  CHECK_THROWS_WITH(Jwk::parse(key.dump(), "key"), ContainsSubstring("8200 bits"));
}

TEST_CASE("a point that is not on the curve is no key") {
  Json key = Json::parse(kEcKey);
  key["y"] = key["x"];
  CHECK_THROWS_AS(Jwk::parse(key.dump(), "key"), base::InvalidInput);
}

TEST_CASE("tokens with algorithm none, an HMAC or a wider hash are refused") {
  const std::string jwt = test::token_issuer().sign(kClaims);
  const std::string kid = R"(,"kid":")" + one_key().front().key_id() + R"("})";
  CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":"none")" + kid), one_key()), ContainsSubstring("not signed"));
  CHECK_THROWS_AS(verify_jwt(encoded(R"({"alg":"none")" + kid) + "." + part(jwt, 1) + ".", one_key()),
                  base::InvalidInput);
  for (const std::string algorithm : {"HS256", "RS384", "PS256", "NONE", "rs256", ""}) {
    CAPTURE(algorithm);
    CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":")" + algorithm + "\"" + kid), one_key()),
                      ContainsSubstring("instead of RS256 or ES256"));
  }
  CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":"ES256")" + kid), one_key()), ContainsSubstring("no key"));
  CHECK_THROWS_WITH(evidence::read_unverified_jwt(with_header(jwt, R"({"alg":"none")" + kid)),
                    ContainsSubstring("not signed"));
}

TEST_CASE("a token of another key, or of none that is known, is refused") {
  const test::TokenIssuer other;
  CHECK_THROWS_WITH(verify_jwt(other.sign(kClaims), one_key()), ContainsSubstring("no key"));
  CHECK_THROWS_WITH(verify_jwt(other.sign(kClaims, {{"kid", test::token_issuer().key_id()}}), one_key()),
                    ContainsSubstring("does not verify"));
  const std::string jwt = test::token_issuer().sign(kClaims);
  CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":"RS256"})"), one_key()), ContainsSubstring("kid"));
}

TEST_CASE("a token that was cut or changed anywhere is refused") {
  const std::string jwt = test::token_issuer().sign(kClaims);
  for (std::size_t length = 0; length < jwt.size(); ++length) {
    CHECK_THROWS_AS(verify_jwt(std::string_view(jwt).substr(0, length), one_key()), base::InvalidInput);
  }
  for (std::size_t i = 0; i < jwt.size(); ++i) {
    std::string changed = jwt;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_THROWS_AS(verify_jwt(changed, one_key()), base::InvalidInput);
  }
  CHECK_THROWS_AS(verify_jwt(jwt + ".x", one_key()), base::InvalidInput);
  CHECK_THROWS_AS(verify_jwt(jwt + "=", one_key()), base::InvalidInput);
  CHECK_THROWS_AS(verify_jwt(" " + jwt, one_key()), base::InvalidInput);
}

TEST_CASE("a token with a critical extension or a header that says a thing twice is refused") {
  const std::string jwt = test::token_issuer().sign(kClaims);
  CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":"RS256","kid":"x","crit":["b64"],"b64":false})"), one_key()),
                    ContainsSubstring("critical"));
  CHECK_THROWS_WITH(verify_jwt(with_header(jwt, R"({"alg":"none","alg":"RS256","kid":"x"})"), one_key()),
                    ContainsSubstring("twice"));
}

TEST_CASE("the size of a token is limited") {
  const std::string longest(evidence::kMaxJwtBytes, 'a');
  CHECK_THROWS_WITH(verify_jwt(longest, one_key()), !ContainsSubstring("longer than"));
  const std::string too_long(evidence::kMaxJwtBytes + 1, 'a');
  CHECK_THROWS_WITH(verify_jwt(too_long, one_key()), ContainsSubstring("longer than"));
}

TEST_CASE("an unverified token is read without any key") {
  const auto read = evidence::read_unverified_jwt(test::token_issuer().sign(kClaims));
  CHECK(read.claims == kClaims);
  CHECK(read.header["alg"] == "RS256");
  CHECK(evidence::read_unverified_jwt(kRfcEs256).claims["iss"] == "joe");
  CHECK_THROWS_AS(evidence::read_unverified_jwt("not a token"), base::InvalidInput);
  CHECK_THROWS_WITH(evidence::read_unverified_jwt(encoded(R"({"alg":"RS256"})") + "." + encoded("[1]") + ".AAAA"),
                    ContainsSubstring("token.claims"));
}
