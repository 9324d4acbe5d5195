#include "base/command_line/command_line.h"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/unit/catch.h"

namespace {

/// What is said of a line of a program with the subcommands "key add" and "key list", and an option of the latter.
std::string error_of(std::vector<std::string> words) {
  CLI::App app("", "prog");
  base::set_up(app, {.version = "1.2"});
  app.require_subcommand(1);
  CLI::App& noun = *app.add_subcommand("key", "Keys");
  noun.require_subcommand(1);
  noun.add_subcommand("add", "Add one");
  int count = 0;
  noun.add_subcommand("list", "List them")->add_option("--count", count, "How many");
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return base::error_line(app, error);
  }
  return "fine";
}

}  // namespace

TEST_CASE("Words that a program does not know are named") {
  CHECK(error_of({"key", "add"}) == "fine");
  CHECK(error_of({"lock"}) == "prog: there is no subcommand lock: there are key (prog --help says more)");
  CHECK(error_of({"key", "drop"}) ==
        "prog: there is no subcommand drop: there are add, list (prog key --help says more)");
  CHECK(error_of({"key", "add", "--fast"}) == "prog: there is no option --fast (prog key add --help says more)");
  CHECK(error_of({"--fast"}) == "prog: there is no option --fast (prog --help says more)");
  CHECK(error_of({"key", "add", "more"}) == "prog: one word too many, more (prog key add --help says more)");
}

TEST_CASE("A subcommand that is missing is asked for") {
  CHECK(error_of({}) == "prog: a subcommand is missing: there are key (prog --help says more)");
  CHECK(error_of({"key"}) == "prog: a subcommand is missing: there are add, list (prog key --help says more)");
}

TEST_CASE("A value that does not fit is told with its option, on one line") {
  const std::string error = error_of({"key", "list", "--count", "many\n"});
  CHECK_THAT(error, StartsWith("prog: "));
  CHECK_THAT(error, ContainsSubstring("--count"));
  CHECK(error.find('\n') == std::string::npos);
}

TEST_CASE("A version tells the build") {
  const std::string text = base::version_text("prog", "1.2");
  CHECK_THAT(text, StartsWith("prog 1.2 (build "));
  CHECK(text.size() > std::string("prog 1.2 (build )").size() + 16);
}
