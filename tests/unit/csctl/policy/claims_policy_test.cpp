#include "csctl/policy/claims_policy.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Json;
using csctl::ClaimsPolicy;

namespace {

csctl::PolicyVerdict verdict_of_list(const Json& wanted, const Json& claims) {
  const Json document = {{"claims", wanted}};
  return ClaimsPolicy::parse(base::JsonObject(document, "policy")).decide(claims);
}

}  // namespace

TEST_CASE("A list of claims holds when each has its value") {
  const Json claims = {{"swname", "CONFIDENTIAL_SPACE"}, {"secboot", true}, {"list", {"a", "b"}}};
  CHECK(verdict_of_list({{"swname", "CONFIDENTIAL_SPACE"}, {"secboot", true}, {"list", {"a", "b"}}}, claims).accepts);
  CHECK(verdict_of_list({{"list", "a"}}, claims).accepts);  // among them
  CHECK_FALSE(verdict_of_list({{"list", "c"}}, claims).accepts);
  CHECK_FALSE(verdict_of_list({{"list", {"a"}}}, claims).accepts);
  CHECK_FALSE(verdict_of_list({{"secboot", "true"}}, claims).accepts);  // of another type
}

TEST_CASE("Every claim is told, with what was found") {
  const auto verdict = verdict_of_list({{"a", 1}, {"b", 2}}, {{"a", 3}});
  REQUIRE(verdict.conditions.size() == 2);
  CHECK(verdict.conditions[0].condition == "a = 1");
  CHECK(verdict.conditions[0].found == "3");
  CHECK_FALSE(verdict.conditions[0].holds);
  CHECK(verdict.conditions[1].found.empty());
}

TEST_CASE("A list without claims is no policy") {
  CHECK_THROWS_AS(verdict_of_list(Json::object(), {}), base::InvalidInput);
}
