#include "csctl/screen/screen.h"

#include <sstream>
#include <string>

#include "tests/unit/catch.h"

using csctl::Screen;
using csctl::Table;
using csctl::Tone;

namespace {

const Screen::Manner kFile{};
const Screen::Manner kPlainTerminal{.is_terminal = true};
const Screen::Manner kTerminal{.is_terminal = true, .has_colour = true};

template <typename Show>
std::string shown(Screen::Manner manner, Show show) {
  std::ostringstream out;
  Screen screen(out, manner);
  show(screen);
  return out.str();
}

const Table kTable{.headings = {"A", "LONG", "LAST"}, .rows = {{"xyz", {"1", Tone::kGood}, "end"}, {"\xc3\xa4", "22"}}};

}  // namespace

TEST_CASE("A person sees columns under headings") {
  CHECK(shown(kPlainTerminal, [](Screen& screen) { screen.table(kTable); }) ==
        "A    LONG  LAST\n"
        "xyz  1     end\n"
        "\xc3\xa4    22\n");
}

TEST_CASE("A program gets cells between tabs, and no headings") {
  CHECK(shown(kFile, [](Screen& screen) {
          screen.heading("heading");
          screen.table(kTable);
        }) == "xyz\t1\tend\n\xc3\xa4\t22\n");
}

TEST_CASE("A cell that is very long moves its own row alone") {
  const std::string much(70, 'x');
  CHECK(shown(kPlainTerminal, [&](Screen& screen) {
          screen.table({.headings = {"A", "B"}, .rows = {{much, "1"}, {"y", "2"}}});
        }) == "A" + std::string(57, ' ') + "B\n" + much + "  1\n" + "y" + std::string(57, ' ') + "2\n");
}

TEST_CASE("A table without headings goes on with the one before") {
  CHECK(shown(kPlainTerminal, [](Screen& screen) {
          screen.table({.headings = {"", ""}, .rows = {{"a", "b"}}});
        }) == "a  b\n");
}

TEST_CASE("Colours are for terminals that have them") {
  const auto show = [](Screen& screen) { screen.line({"good", Tone::kGood}); };
  CHECK(shown(kTerminal, show) == "\x1b[32mgood\x1b[0m\n");
  CHECK(shown(kPlainTerminal, show) == "good\n");
  CHECK(shown(kTerminal, [](Screen& screen) { screen.line("plain"); }) == "plain\n");
}

TEST_CASE("Nothing that is shown moves the cursor, hides a word or makes a second line") {
  const std::string hostile =
      "a\x1b[2Jb\nc\td\xff\xe2\x80\xae"
      "e";
  CHECK(shown(kTerminal, [&](Screen& screen) { screen.line(hostile); }) == "a\\x1b[2Jb\\nc\\x09d\\xff\\u202ee\n");
  CHECK(shown(kFile, [&](Screen& screen) { screen.table({.headings = {"X"}, .rows = {{hostile}}}); }) ==
        "a\\x1b[2Jb\\nc\\x09d\\xff\\u202ee\n");
  const std::string json = shown(kFile, [&](Screen& screen) { screen.json({{"x", hostile}}); });
  CHECK(json.find('\x1b') == std::string::npos);
  CHECK(base::Json::parse(json)["x"] ==
        "a\x1b[2Jb\nc\td\xef\xbf\xbd\xe2\x80\xae"
        "e");
}
