#include "base/parse_number.h"

#include "tests/unit/catch.h"

using base::parse_number;

TEST_CASE("a number is digits alone, and fits into 64 bits") {
  CHECK(parse_number("0") == 0U);
  CHECK(parse_number("18446744073709551615") == 18446744073709551615U);
  CHECK(parse_number("1777", 8) == 01777U);
  CHECK(parse_number("000001ffffffffff", 16) == 0x1ffffffffffU);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1k", "18446744073709551616"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text));
  }
  CHECK_FALSE(parse_number("8", 8));
}
