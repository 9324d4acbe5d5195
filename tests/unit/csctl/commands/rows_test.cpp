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

TEST_CASE("A document is a tree in which nothing is left out") {
  const base::Json document = {{"a", {{"b", {"x", "y"}}, {"c", base::Json::object()}}}, {"d", 1}};
  std::vector<std::string> lines;
  for (const auto& [label, path, value] : csctl::tree_of(document)) {
    lines.push_back(label + " | " + path + " | " + value.value_or("-"));
  }
  CHECK(lines == std::vector<std::string>{"a | a | -", "  b | a.b | -", "    [0] | a.b[0] | x", "    [1] | a.b[1] | y",
                                          "  c | a.c | {}", "d | d | 1"});
  CHECK(csctl::tree_of(base::Json::object()).empty());
}
