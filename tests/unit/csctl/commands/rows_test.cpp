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

TEST_CASE("Places that are too long to stand beside each value are cut") {
  base::Json document = 1;
  for (int i = 0; i < 20; ++i) document = {{std::string(100, 'k'), document}, {"l", 2}};
  std::size_t bytes = 0;
  for (const auto& [path, value] : csctl::leaves_of(document)) {
    CHECK(path.size() <= csctl::kMaxPathBytes + 5);
    bytes += path.size();
  }
  CHECK(bytes < 21 * csctl::kMaxPathBytes);
  CHECK(csctl::leaves_of(document).front().first.ends_with("..."));
  CHECK(csctl::tree_of(document).size() == 40);
}
