#include "base/command_line/command_text.h"

#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/unit/catch.h"

namespace {

/// With an option of each kind.
struct Program {
  CLI::App app{"Does things", "prog"};
  std::string file;
  std::string kind;
  std::vector<int> numbers;
  bool fast = false;
  int level = 1;

  Program() {
    app.set_help_flag("-h,--help", "Help");
    CLI::App& verb = *app.add_subcommand("verb", "Do it");
    verb.add_option("FILE", file, "What to do it to")->required();
    verb.add_option("--kind", kind, "Which kind")->check(CLI::IsMember({"a", "b"}));
    verb.add_option("--number", numbers, "Some numbers")->check(CLI::Range(1, 9));
    verb.add_option("--level", level, "How much")
        ->capture_default_str()
        ->check(CLI::IsMember(std::map<std::string, int>{{"low", 1}, {"high", 2}}));
    verb.add_flag("-f,--fast", fast, "In a hurry");
    verb.add_option("--secret", file, "Hidden")->group("");
    verb.add_option_group("one of")->add_option("--grouped", file, "In a group")->type_name("NAME");
    verb.footer(base::example_footer("prog verb x\nprog verb y"));
    app.add_subcommand("hidden", "Hidden")->group("");
  }
};

const base::OptionText& option(const base::CommandText& command, const std::string& name) {
  for (const base::OptionText& each : command.options) {
    if (each.names.back() == name) return each;
  }
  throw std::runtime_error("no option " + name);
}

}  // namespace

TEST_CASE("A command line is described in words") {
  const Program program;
  const base::CommandText text = base::describe(program.app);
  CHECK(text.name == "prog");
  CHECK(text.usage() == "prog SUBCOMMAND");
  REQUIRE(text.subcommands.size() == 1);  // what is hidden is not there
  const base::CommandText& verb = text.subcommands.front();
  CHECK(verb.name == "prog verb");
  CHECK(verb.usage() == "prog verb [OPTIONS] FILE");
  CHECK(verb.examples == std::vector<std::string>{"prog verb x", "prog verb y"});
  CHECK(option(verb, "--kind").choices == std::vector<std::string>{"a", "b"});
  CHECK(option(verb, "--kind").usage() == "--kind a|b");
  CHECK(option(verb, "--number").usage() == "--number NUMBER");
  CHECK(option(verb, "--number").help == "Some numbers (1 to 9)");
  CHECK(option(verb, "--number").is_repeatable);
  CHECK(option(verb, "--fast").usage() == "-f, --fast");
  CHECK(option(verb, "--level").choices.size() == 2);  // an enum by its names
  CHECK(option(verb, "--level").help == "How much (default: 1)");
  CHECK(option(verb, "--grouped").value == "NAME");
  CHECK_THROWS(option(verb, "--secret"));
}

TEST_CASE("Help is wrapped, with names in a column of their own") {
  const Program program;
  CHECK(base::help_text(base::describe(program.app)) ==
        "prog: Does things\n"
        "\n"
        "Usage: prog SUBCOMMAND\n"
        "\n"
        "Subcommands:\n"
        "  verb  Do it\n"
        "\n"
        "Options:\n"
        "  -h, --help  Help\n");
  base::CommandText long_text = base::describe(program.app);
  long_text.options.front().help = std::string(200, 'x').replace(60, 1, " ").replace(120, 1, " ");
  const std::string help = base::help_text(long_text);
  CHECK_THAT(help, ContainsSubstring("  -h, --help  " + std::string(60, 'x') + "\n              " +
                                     std::string(59, 'x') + "\n"));
  CHECK_THAT(base::help_text(base::describe(program.app).subcommands.front()),
             EndsWith("\nExample:\n  prog verb x\n  prog verb y\n"));
}
