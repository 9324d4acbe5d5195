#include "launcher/output/line_splitter.h"

#include <vector>

#include "tests/unit/catch.h"

using launcher::kMaxOutputLineBytes;
using Strings = std::vector<std::string>;

namespace {

Strings lines_of(const Strings& pieces) {
  Strings lines;
  launcher::LineSplitter splitter([&](std::string line) { lines.push_back(std::move(line)); });
  for (const std::string& piece : pieces) splitter.take(piece);
  splitter.finish();
  return lines;
}

}  // namespace

TEST_CASE("lines are the same however their bytes come") {
  const Strings expected = {"one", "", "two", "three"};
  const std::string text = "one\n\ntwo\r\nthree";
  CHECK(lines_of({text}) == expected);
  Strings bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  CHECK(lines_of(bytes) == expected);
  CHECK(lines_of({}).empty());
  CHECK(lines_of({"\n"}) == Strings{""});
}

TEST_CASE("a line that is too long comes in pieces, and one that just fits does not") {
  const std::string most(kMaxOutputLineBytes, 'x');
  CHECK(lines_of({most}) == Strings{most});
  CHECK(lines_of({most + "\n"}) == Strings{most});
  CHECK(lines_of({most + "y\nz"}) == Strings{most, "y", "z"});
  CHECK(lines_of({most, most, "end\n"}) == Strings{most, most, "end"});
}
