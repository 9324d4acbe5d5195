#include "launcher/spec/lists.h"

#include <set>

#include "tests/unit/catch.h"

using Strings = std::vector<std::string>;

TEST_CASE("a list is cut at its separators, empty parts are dropped, nothing is trimmed") {
  CHECK(launcher::split("", ',').empty());
  CHECK(launcher::split(",,", ',').empty());
  CHECK(launcher::split("a", ',') == Strings{"a"});
  CHECK(launcher::split(",a,, b ,c:d,", ',') == Strings{"a", " b ", "c:d"});
  CHECK(launcher::split("a:b", ':') == Strings{"a", "b"});
}

TEST_CASE("words are listed with blanks between") {
  CHECK(launcher::joined(Strings{}).empty());
  CHECK(launcher::joined(std::set<std::string>{"b", "a"}) == "a b");
}
