#include "measure/event.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using measure::EnvVar;

TEST_CASE("variables are split at the first '=' and judged") {
  CHECK(EnvVar::parse("A=B=C", "e") == EnvVar{"A", "B=C"});
  CHECK(EnvVar::parse("A=", "e") == EnvVar{"A", ""});
  CHECK(EnvVar::parse("_a9=x\ny", "e") == EnvVar{"_a9", "x\ny"});
  const std::string megabyte(1 << 20, 'x');
  CHECK(EnvVar::parse("A=" + megabyte, "e").value == megabyte);
}

TEST_CASE("variables that a verifier could not read are refused by name, their value unseen") {
  const std::vector<std::string> bad = {"",
                                        "A",
                                        "=canary",
                                        "9A=canary",
                                        "foo.bar=canary",
                                        "foo-bar=canary",
                                        "A\n=canary",
                                        "A =canary",
                                        "A=canary\xff",
                                        std::string("A=canary\0b", 10),
                                        std::string("A\0=canary", 9)};
  for (const std::string& text : bad) {
    CAPTURE(text);
    try {
      EnvVar::parse(text, "tee-env");
      FAIL_CHECK("accepted");
    } catch (const base::InvalidInput& error) {
      CHECK_THAT(error.what(), !ContainsSubstring("canary"));
      CHECK_THAT(error.what(), ContainsSubstring("tee-env: malformed env"));
    }
  }
}
