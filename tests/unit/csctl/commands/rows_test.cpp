#include "csctl/commands/rows.h"

#include "tests/unit/catch.h"

using csctl::leaves_of;
using Leaves = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("Values of a document have places") {
  CHECK(leaves_of({{"a", "text"}, {"b", {{"c", 1}, {"d", {true, nullptr}}}}}) ==
        Leaves{{"a", "text"}, {"b.c", "1"}, {"b.d[0]", "true"}, {"b.d[1]", "null"}});
}

TEST_CASE("What is empty is a value, too") {
  CHECK(leaves_of({{"a", base::Json::array()}, {"b", base::Json::object()}}) == Leaves{{"a", "[]"}, {"b", "{}"}});
  CHECK(leaves_of("text") == Leaves{{"", "text"}});
}
