#include "csctl/policy/claim_path.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Json;
using csctl::find_claim;
using csctl::set_claim;

namespace {

const Json kClaims = {{"a", {{"b", {1, {{"c", "deep"}}}}, {"b.d", "dotted"}}},
                      {"https://aws.amazon.com/tags", {{"principal_tags", {{"x.y", {"v"}}}}}}};

std::string found(std::string_view path) {
  const Json* claim = find_claim(kClaims, path);
  return claim == nullptr ? "nothing" : claim->dump();
}

}  // namespace

TEST_CASE("A claim is found by its path") {
  CHECK(found("a.b[0]") == "1");
  CHECK(found("a.b[1].c") == "\"deep\"");
  CHECK(found("a.b.d") == "\"dotted\"");  // a name with a dot
  CHECK(found("https://aws.amazon.com/tags.principal_tags.x.y[0]") == "\"v\"");
}

TEST_CASE("Where there is none, nothing is found") {
  for (const char* path :
       {"", "x", "a.x", "a.b[2]", "a.b[x]", "a.b[0", "a.b[0].c", "ab", "a.b[99999999999999999999]"}) {
    INFO(path);
    CHECK(found(path) == "nothing");
  }
}

TEST_CASE("A claim is set, with all on the way to it") {
  Json claims = kClaims;
  set_claim(claims, "a.b[0]", 2);
  set_claim(claims, "a.b.d", "other");
  set_claim(claims, "new.one", true);
  set_claim(claims, "top", Json::array());
  CHECK(claims["a"]["b"][0] == 2);
  CHECK(claims["a"]["b.d"] == "other");
  CHECK(claims["new"]["one"] == true);
  CHECK(claims["top"] == Json::array());
  CHECK_THROWS_AS(set_claim(claims, "", 1), base::InvalidInput);
  CHECK_THROWS_AS(set_claim(claims, "a.b[7]", 1), base::InvalidInput);
  CHECK_THROWS_AS(set_claim(claims, "new.one.more", 1), base::InvalidInput);
}
