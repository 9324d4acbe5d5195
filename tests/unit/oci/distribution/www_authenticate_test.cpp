#include "oci/distribution/www_authenticate.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"

namespace oci {

TEST_CASE("challenges are read, one or several") {
  const auto bearer =
      parse_www_authenticate(R"(Bearer realm="https://auth.example/token",service="reg, \"one\"" , scope=pull)");
  REQUIRE(bearer.size() == 1);
  CHECK(bearer[0].scheme == "bearer");
  CHECK(bearer[0].parameters.at("realm") == "https://auth.example/token");
  CHECK(bearer[0].parameters.at("service") == "reg, \"one\"");
  CHECK(bearer[0].parameters.at("scope") == "pull");

  const auto both = parse_www_authenticate(R"(, BASIC Realm = "x" ,, Bearer realm="y", a=b, Negotiate, NTLM YWJj==)");
  REQUIRE(both.size() == 4);
  CHECK(both[0].scheme == "basic");
  CHECK(both[0].parameters.at("realm") == "x");
  CHECK(both[1].parameters.at("a") == "b");
  CHECK(both[2].scheme == "negotiate");
  CHECK(both[2].parameters.empty());
  CHECK(both[3].token68 == "YWJj==");
  CHECK(parse_www_authenticate("").empty());
  CHECK(parse_www_authenticate(" , ,").empty());
  CHECK(parse_www_authenticate("Basic").size() == 1);
}

TEST_CASE("challenges are read as registries write them") {
  for (const char* text :
       {R"(Bearer realm="https://a/t";service="s")", R"(Bearer realm="https://a/t" ; service=s;)",
        R"(Bearer realm="https://a/t",service="x",service="s")",
        R"(Bearer realm="https://a/t",realm="https://a/t",service="s")", R"(Bearer realm="https://a/t" service="s")",
        "Bearer\trealm=https://a/t,service=s", R"(Bearer realm="https://a/t", error=, service="s")",
        R"(Bearer error=, realm="https://a/t", service="s")"}) {
    INFO(text);
    const auto challenges = parse_www_authenticate(text);
    REQUIRE(challenges.size() == 1);
    CHECK(challenges[0].parameters.at("realm") == "https://a/t");
    CHECK(challenges[0].parameters.at("service") == "s");
  }
  const auto unquoted = parse_www_authenticate("Bearer realm=http://[::1]:5000/t?a=b service=reg:5000, NTLM YWJj==");
  REQUIRE(unquoted.size() == 2);
  CHECK(unquoted[0].parameters.at("realm") == "http://[::1]:5000/t?a=b");
  CHECK(unquoted[0].parameters.at("service") == "reg:5000");
  CHECK(unquoted[1].token68 == "YWJj==");
  CHECK(parse_www_authenticate("NTLM YWJ=, Basic realm=x")[0].token68 == "YWJ=");
  const auto both = parse_www_authenticate(R"(Basic realm="x"; Bearer realm="y")");
  REQUIRE(both.size() == 2);
  CHECK(both[1].parameters.at("realm") == "y");
  INFO("a semicolon in quotes is text");
  CHECK(parse_www_authenticate(R"(Bearer realm="a;b")")[0].parameters.at("realm") == "a;b");
}

TEST_CASE("malformed challenges are refused") {
  for (const std::string& text :
       {std::string("Bearer realm=\"x"), std::string("Bearer realm=\"x\\"), std::string("Bearer realm=\"x\" y"),
        std::string("=x"), std::string("Bearer ="), std::string("Bearer realm=b, realm=c"),
        std::string("Bearer a=\"\n\""), std::string("Bearer\x01"), std::string("\"x\""), std::string("Bearer a b"),
        std::string("Bearer a=b\0", 11)}) {
    INFO(text);
    CHECK_THROWS_AS(parse_www_authenticate(text), base::InvalidInput);
  }
}

TEST_CASE("the length, the challenges and the parameters have limits") {
  CHECK_NOTHROW(parse_www_authenticate(std::string(kMaxChallengeBytes, ' ')));
  CHECK_THROWS_AS(parse_www_authenticate(std::string(kMaxChallengeBytes + 1, ' ')), base::InvalidInput);
  std::string schemes = "a";
  for (std::size_t i = 1; i < kMaxChallenges; ++i) schemes += ",a";
  CHECK(parse_www_authenticate(schemes).size() == kMaxChallenges);
  CHECK_THROWS_AS(parse_www_authenticate(schemes + ",a"), base::InvalidInput);
  std::string parameters = "Bearer p0=x";
  for (std::size_t i = 1; i < kMaxChallengeParameters; ++i) parameters += ",p" + std::to_string(i) + "=x";
  CHECK_NOTHROW(parse_www_authenticate(parameters));
  CHECK_THROWS_AS(parse_www_authenticate(parameters + ",q=x"), base::InvalidInput);
  INFO("one that occurs again counts as well");
  CHECK_THROWS_AS(parse_www_authenticate(parameters + ",p0=x"), base::InvalidInput);
}

TEST_CASE("challenges are read with work in proportion to their length") {
  const auto quoted_of = [](std::size_t length) { return "Bearer realm=\"" + std::string(length, 'r') + "\""; };
  CHECK(test::growth(kMaxChallengeBytes / 2 - 32, quoted_of,
                     [](const std::string& text) { parse_www_authenticate(text); }) < test::kLinear);
  const auto parameters_of = [](std::size_t count) {
    std::string text = "Bearer p=x";
    for (std::size_t i = 1; i < count; ++i) text += ",parameter-of-some-length" + std::to_string(i) + "=value";
    return text;
  };
  CHECK(test::growth(kMaxChallengeParameters / 2, parameters_of,
                     [](const std::string& text) { parse_www_authenticate(text); }) < test::kLinear);
}

}  // namespace oci
