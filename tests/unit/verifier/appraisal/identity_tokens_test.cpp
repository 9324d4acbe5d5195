#include "verifier/appraisal/identity_tokens.h"

#include "evidence/status.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/token_issuer.h"

namespace {

using base::Json;
using verifier::IdentityTokens;

constexpr const char* kAudience = "projects/p/locations/l/challenges/c";
constexpr std::int64_t kTokenTime = 1800000000;

IdentityTokens configured() {
  std::vector<verifier::IdentityTokenIssuer> issuers;
  issuers.push_back(
      {"https://accounts.google.com", std::make_shared<const std::vector<evidence::Jwk>>(test::token_issuer().keys())});
  return IdentityTokens(std::move(issuers));
}

Json claims() {
  return {{"iss", "https://accounts.google.com"},
          {"aud", kAudience},
          {"iat", kTokenTime - 10},
          {"exp", kTokenTime + 3600},
          {"email", "a@example.com"},
          {"email_verified", true}};
}

Json with(const char* name, const Json& value) {
  Json changed = claims();
  changed[name] = value;
  return changed;
}

std::vector<std::string> emails(const std::vector<Json>& tokens) {
  std::vector<std::string> signed_tokens;
  for (const Json& token : tokens) signed_tokens.push_back(test::token_issuer().sign(token));
  return configured().emails(signed_tokens, kAudience, base::from_unix_seconds(kTokenTime));
}

std::string refusal_of_token(const Json& token) {
  try {
    emails({claims(), token});
    return "accepted";
  } catch (const evidence::StatusError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("verified addresses are told, each once") {
  CHECK(emails({}).empty());
  CHECK(emails({claims(), with("email", "b@example.com"), claims()}) ==
        std::vector<std::string>{"a@example.com", "b@example.com"});
  CHECK(emails({with("iss", "accounts.google.com")}) == std::vector<std::string>{"a@example.com"});
}

TEST_CASE("a valid token without a verified address counts for nothing") {
  Json nameless = claims();
  nameless.erase("email");
  CHECK(emails({nameless, with("email_verified", false), with("email_verified", nullptr)}).empty());
}

TEST_CASE("one token that is not valid fails the request and is told by its position") {
  const std::string where = "Error validating token in position 1: ";
  CHECK_THAT(refusal_of_token(with("aud", "another")), ContainsSubstring(where) && ContainsSubstring("audience"));
  CHECK_THAT(refusal_of_token(with("aud", {kAudience})), ContainsSubstring(where));
  CHECK_THAT(refusal_of_token(with("iss", "https://evil.example")),
             ContainsSubstring(where) && ContainsSubstring("issuer"));
  CHECK_THAT(refusal_of_token(with("exp", nullptr)), ContainsSubstring(where) && ContainsSubstring("exp is missing"));
  CHECK_THAT(refusal_of_token(with("exp", "soon")), ContainsSubstring(where));
  CHECK_THAT(refusal_of_token(with("nbf", kTokenTime + 61)), ContainsSubstring(where) && ContainsSubstring("nbf"));
  CHECK_THAT(refusal_of_token(with("iat", kTokenTime + 61)), ContainsSubstring(where) && ContainsSubstring("iat"));
}

TEST_CASE("clocks may differ by a minute") {
  CHECK(refusal_of_token(with("exp", kTokenTime - 59)) == "accepted");
  CHECK_THAT(refusal_of_token(with("exp", kTokenTime - 60)), ContainsSubstring("expired"));
  CHECK(refusal_of_token(with("iat", kTokenTime + 60)) == "accepted");
}

TEST_CASE("a token that another key signed is refused") {
  const test::TokenIssuer other;
  CHECK_THROWS_WITH(configured().emails({other.sign(claims())}, kAudience, base::from_unix_seconds(kTokenTime)),
                    ContainsSubstring("Error validating token in position 0"));
  CHECK_THROWS_WITH(configured().emails({"no token"}, kAudience, base::from_unix_seconds(kTokenTime)),
                    ContainsSubstring("Error validating token in position 0"));
}
