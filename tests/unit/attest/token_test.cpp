#include "attest/token.h"

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/token_issuer.h"

using attest::Token;
using base::Json;

namespace {

constexpr std::int64_t kIssuedAt = 1800000000;
const base::WallTime kNowTime = base::from_unix_seconds(kIssuedAt);

Json good_claims() { return {{"aud", "aud"}, {"iat", kIssuedAt}, {"nbf", kIssuedAt}, {"exp", kIssuedAt + 3600}}; }

std::string error_of(const std::string& jwt) {
  try {
    Token::parse(jwt, "aud", kNowTime);
    return "";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

std::string error_of_claims(const std::function<void(Json&)>& change) {
  Json claims = good_claims();
  change(claims);
  return error_of(test::token_issuer().sign(claims));
}

}  // namespace

TEST_CASE("a usable token gives its life and its claims") {
  const Token token = Token::parse(test::token_issuer().sign(good_claims()), "aud", kNowTime);
  CHECK(token.lifetime == std::chrono::hours(1));
  CHECK(base::to_unix_seconds(token.expires) == kIssuedAt + 3600);
  CHECK(token.claims["aud"] == "aud");
}

TEST_CASE("tokens that can't be right are refused by claim (T 18)") {
  CHECK(error_of_claims([](Json&) {}).empty());
  CHECK_THAT(error_of_claims([](Json& c) { c.erase("exp"); }), ContainsSubstring("token.exp: is missing"));
  CHECK_THAT(error_of_claims([](Json& c) {
               c["exp"] = kIssuedAt - 1;
               c["iat"] = kIssuedAt - 10;
             }),
             ContainsSubstring("token.exp: is in the past"));
  CHECK_THAT(error_of_claims([](Json& c) {
               c["exp"] = kIssuedAt;
               c["iat"] = kIssuedAt - 10;
             }),
             ContainsSubstring("in the past"));
  CHECK_THAT(error_of_claims([](Json& c) { c["iat"] = kIssuedAt + 3600; }), ContainsSubstring("is not after iat"));
  CHECK_THAT(error_of_claims([](Json& c) { c["exp"] = 253402300799; }), ContainsSubstring("more than a day"));
  CHECK_THAT(error_of_claims([](Json& c) { c["exp"] = 253402300800; }), ContainsSubstring("out of range"));
  CHECK_THAT(error_of_claims([](Json& c) { c["exp"] = -1; }), ContainsSubstring("out of range"));
  CHECK_THAT(error_of_claims([](Json& c) { c["exp"] = "soon"; }), ContainsSubstring("token.exp"));
  CHECK_THAT(error_of_claims([](Json& c) { c["nbf"] = kIssuedAt + 301; }),
             ContainsSubstring("token.nbf: is in the future"));
  CHECK(error_of_claims([](Json& c) { c["nbf"] = kIssuedAt + 300; }).empty());
  CHECK_THAT(error_of_claims([](Json& c) { c["iat"] = kIssuedAt + 301; }),
             ContainsSubstring("token.iat: is in the future"));
  CHECK_THAT(error_of_claims([](Json& c) { c["aud"] = "other"; }), ContainsSubstring("token.aud"));
  CHECK_THAT(error_of_claims([](Json& c) { c["aud"] = Json::array({"aud"}); }), ContainsSubstring("token.aud"));
}

TEST_CASE("what is no signed JWT is refused (T 18)") {
  const auto segment = [](const std::string& text) { return base::base64url_encode(base::view_of(text)); };
  const std::string claims = segment(good_claims().dump());
  CHECK_FALSE(error_of("").empty());
  CHECK_FALSE(error_of("no token").empty());
  CHECK_FALSE(error_of("a.b").empty());
  CHECK_FALSE(error_of("a.b.c").empty());
  CHECK_FALSE(error_of(segment(R"({"alg":"none"})") + "." + claims + ".").empty());
  CHECK_FALSE(error_of(segment(R"({"alg":"RS256"})") + "." + claims + ".").empty());
  CHECK_FALSE(error_of(std::string(evidence::kMaxJwtBytes + 1, 'a')).empty());
}
