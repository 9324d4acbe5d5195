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

TEST_CASE("characters are classed as ASCII has them") {
  for (int c = -128; c < 128; ++c) {
    const char character = static_cast<char>(c);
    CAPTURE(c);
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    CHECK(base::is_digit(character) == is_digit);
    CHECK(base::is_letter(character) == is_letter);
    CHECK(base::is_alphanumeric(character) == (is_digit || is_letter));
    CHECK(base::is_alphanumeric_or(character, "-_") == (is_digit || is_letter || c == '-' || c == '_'));
  }
  CHECK(base::is_hex('F'));
  CHECK_FALSE(base::is_lower_hex('F'));
  CHECK_FALSE(base::is_hex('g'));
}
