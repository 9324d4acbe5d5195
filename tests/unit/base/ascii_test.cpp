#include "base/ascii.h"

#include "tests/unit/catch.h"

TEST_CASE("only the letters of ASCII have a lower case") {
  CHECK(base::lower_case("AZ az @[ 09") == "az az @[ 09");
  CHECK(base::lower_case("\xc3\x84\xdd") == "\xc3\x84\xdd");
  CHECK(base::lower_case("").empty());
}

TEST_CASE("texts are compared whatever the case of their letters") {
  CHECK(base::equal_ignoring_case("Content-Type", "cONTENT-tYPE"));
  CHECK_FALSE(base::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(base::equal_ignoring_case("[", "{"));
}
