#include "csctl/policy/aws_policy.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Json;
using csctl::AwsTrustPolicy;
using csctl::PolicyVerdict;

namespace {

Json token() {
  Json claims = {{"iss", "https://issuer.example/path"}, {"aud", "https://sts.example"}, {"sub", "machine"}};
  claims["https://aws.amazon.com/tags"]["principal_tags"] = {{"swname", {"CONFIDENTIAL_SPACE"}},
                                                             {"support", {"LATEST=STABLE=USABLE"}}};
  return claims;
}

Json statement(const Json& conditions = Json::object()) {
  return {{"Effect", "Allow"},
          {"Principal", {{"Federated", "arn:aws:iam::1:oidc-provider/issuer.example/path"}}},
          {"Action", {"sts:AssumeRoleWithWebIdentity", "sts:TagSession"}},
          {"Condition", conditions}};
}

PolicyVerdict decide(const Json& statements, const Json& claims = token()) {
  const Json policy = {{"Version", "2012-10-17"}, {"Statement", statements}};
  return AwsTrustPolicy::parse(base::JsonObject(policy, "policy")).decide(claims);
}

/// Whether a condition holds of the usual token.
bool holds(const char* operation, const std::string& key, const Json& wanted) {
  return decide(statement({{operation, {{key, wanted}}}})).accepts;
}

std::string refusal_of(const Json& statements, const Json& claims = token()) {
  try {
    decide(statements, claims);
    return "decided";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A statement for the provider allows what it names") {
  CHECK(decide(statement()).accepts);
  CHECK(decide(Json::array({statement()})).accepts);
  Json other = statement();
  other["Principal"]["Federated"] = "arn:aws:iam::1:oidc-provider/other.example";
  CHECK_FALSE(decide(other).accepts);
  CHECK(decide(other).problems.front() ==
        "no statement allows sts:AssumeRoleWithWebIdentity to https://issuer.example/path");
  Json everybody = statement();
  everybody["Principal"] = "*";
  CHECK(decide(everybody).accepts);
}

TEST_CASE("Tags take the right to set them") {
  Json untagged = statement();
  untagged["Action"] = "sts:AssumeRoleWithWebIdentity";
  CHECK_FALSE(decide(untagged).accepts);
  CHECK(decide(untagged).problems.front() == "no statement allows sts:TagSession to https://issuer.example/path");
  Json plain = token();
  plain.erase("https://aws.amazon.com/tags");
  CHECK(decide(untagged, plain).accepts);
  Json pattern = statement();
  pattern["Action"] = "STS:*";
  CHECK(decide(pattern).accepts);
}

TEST_CASE("Operators of texts compare as AWS does") {
  const std::string tag = "aws:RequestTag/swname";
  CHECK(holds("StringEquals", tag, "CONFIDENTIAL_SPACE"));
  CHECK(holds("StringEquals", tag, {"GCE", "CONFIDENTIAL_SPACE"}));  // any of them
  CHECK_FALSE(holds("StringEquals", tag, "confidential_space"));
  CHECK(holds("StringEqualsIgnoreCase", tag, "confidential_space"));
  CHECK_FALSE(holds("StringNotEquals", tag, "CONFIDENTIAL_SPACE"));
  CHECK(holds("StringNotEquals", tag, "GCE"));
  CHECK(holds("StringNotEqualsIgnoreCase", tag, "gce"));
  CHECK(holds("StringLike", "aws:RequestTag/support", "*STABLE*"));
  CHECK(holds("StringLike", "aws:RequestTag/support", "LATEST?STABLE?USABLE"));
  CHECK_FALSE(holds("StringLike", "aws:RequestTag/support", "STABLE*"));
  CHECK_FALSE(holds("StringLike", "aws:RequestTag/support", "*EXPERIMENTAL*"));
  CHECK(holds("StringNotLike", "aws:RequestTag/support", "*EXPERIMENTAL*"));
  CHECK(holds("ArnLike", tag, "CONF*"));
  CHECK_FALSE(holds("ArnNotEquals", tag, "CONF*"));
  CHECK(holds("StringEquals", "ISSUER.example/path:aud", "https://sts.example"));  // keys differ in letters' case only
}

TEST_CASE("A key that is not there fails what wants it, and passes what does not") {
  const std::string tag = "aws:RequestTag/absent";
  CHECK_FALSE(holds("StringEquals", tag, "x"));
  CHECK(holds("StringEqualsIfExists", tag, "x"));
  CHECK(holds("StringNotEquals", tag, "x"));
  CHECK(holds("Null", tag, "true"));
  CHECK_FALSE(holds("Null", tag, "false"));
  CHECK(holds("Null", "aws:RequestTag/swname", false));
  CHECK(holds("ForAllValues:StringEquals", tag, "x"));
  CHECK_FALSE(holds("ForAnyValue:StringEquals", tag, "x"));
}

TEST_CASE("Keys of several values take a quantifier") {
  CHECK(holds("ForAnyValue:StringEquals", "aws:TagKeys", "swname"));
  CHECK(holds("ForAllValues:StringEquals", "aws:TagKeys", {"swname", "support"}));
  CHECK_FALSE(holds("ForAllValues:StringEquals", "aws:TagKeys", "swname"));
  CHECK_THAT(refusal_of(statement({{"StringEquals", {{"aws:TagKeys", "swname"}}}})),
             EndsWith("is for keys of one value"));
}

TEST_CASE("A statement that denies comes before all that allow") {
  Json deny = statement({{"StringEquals", {{"aws:RequestTag/swname", "CONFIDENTIAL_SPACE"}}}});
  deny["Effect"] = "Deny";
  const PolicyVerdict verdict = decide({statement(), deny});
  CHECK_FALSE(verdict.accepts);
  CHECK(verdict.problems.front() == "a statement denies sts:AssumeRoleWithWebIdentity");
  deny["Condition"]["StringEquals"]["aws:RequestTag/swname"] = "GCE";
  CHECK(decide({statement(), deny}).accepts);
}

TEST_CASE("Conditions are told with what was found") {
  const PolicyVerdict verdict = decide(statement({{"StringEquals", {{"aws:RequestTag/swname", {"A", "B"}}}}}));
  REQUIRE(verdict.conditions.size() == 1);  // once, though two actions ask for it
  CHECK(verdict.conditions[0].condition == "StringEquals aws:RequestTag/swname: A or B");
  CHECK(verdict.conditions[0].found == "CONFIDENTIAL_SPACE");
  CHECK_FALSE(verdict.conditions[0].holds);
}

TEST_CASE("What is not known here is refused, and never passed over") {
  CHECK_THAT(refusal_of(statement({{"NumericEquals", {{"aws:x", "1"}}}})),
             EndsWith("is no operator that is known here"));
  CHECK_THAT(refusal_of(statement({{"Null", {{"aws:x", "maybe"}}}})), EndsWith("is neither true nor false"));
  CHECK_THAT(refusal_of(statement({{"StringEquals", {{"aws:x", {{"a", 1}}}}}})), EndsWith("no list of texts"));
  Json odd = statement();
  odd["NotAction"] = "x";
  CHECK_THAT(refusal_of(odd), ContainsSubstring("NotAction"));
  odd = statement();
  odd["Effect"] = "allow";
  CHECK_THAT(refusal_of(odd), EndsWith("is neither Allow nor Deny"));
  odd = statement();
  odd.erase("Action");
  CHECK_THAT(refusal_of(odd), EndsWith("Action: is missing"));
  odd = statement();
  odd["Principal"] = {{"CanonicalUser", "x"}};
  CHECK_THAT(refusal_of(odd), ContainsSubstring("CanonicalUser"));
  CHECK_THAT(refusal_of(statement(), {{"aud", "x"}}), EndsWith("iss: is missing"));
  const Json old = {{"Version", "2008-10-17"}, {"Statement", Json::array()}};
  CHECK_THROWS_AS(AwsTrustPolicy::parse(base::JsonObject(old, "policy")), base::InvalidInput);
}

TEST_CASE("A pattern of many stars takes no more than text times pattern") {
  Json claims = token();
  claims["https://aws.amazon.com/tags"]["principal_tags"]["swname"] = {std::string(20000, 'a')};
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  CHECK_FALSE(decide(statement({{"StringLike", {{"aws:RequestTag/swname", pattern + "b"}}}}), claims).accepts);
}
