#include "base/text.h"

#include "tests/unit/catch.h"

using Strings = std::vector<std::string>;
using Views = std::vector<std::string_view>;

TEST_CASE("a list is cut at its separators, empty parts are dropped, nothing is trimmed") {
  CHECK(base::split("", ',').empty());
  CHECK(base::split(",,", ',').empty());
  CHECK(base::split("a", ',') == Strings{"a"});
  CHECK(base::split(",a,, b ,c:d,", ',') == Strings{"a", " b ", "c:d"});
  CHECK(base::split("a:b", ':') == Strings{"a", "b"});
}

TEST_CASE("fields are cut at their separators, and empty ones are fields, too") {
  CHECK(base::fields_of("", ':') == Views{""});
  CHECK(base::fields_of("a", ':') == Views{"a"});
  CHECK(base::fields_of(":a::b,c:", ':') == Views{"", "a", "", "b,c", ""});
}

TEST_CASE("words stand between blanks and tabs") {
  CHECK(base::words_of(" \t").empty());
  CHECK(base::words_of("\ta  b\t\tc,d ") == Views{"a", "b", "c,d"});
}

TEST_CASE("a byte stands in the line behind as many line feeds as are ahead of it") {
  CHECK(base::line_at("", 0) == 1);
  CHECK(base::line_at("a\nb\n", 0) == 1);
  CHECK(base::line_at("a\nb\n", 1) == 1);
  CHECK(base::line_at("a\nb\n", 2) == 2);
  CHECK(base::line_at("a\nb\n", 4) == 3);
  CHECK(base::line_at("a\nb\n", 100) == 3);
}
