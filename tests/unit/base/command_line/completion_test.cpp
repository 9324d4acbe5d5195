#include "base/command_line/completion.h"

#include "base/error.h"
#include "tests/unit/catch.h"

// What the scripts do is tested with the shells themselves, in tests/csctl/test_habits.py.

TEST_CASE("Every shell has a script that names the program") {
  const base::CommandText program{.name = "my-prog",
                                  .description = "It's one",
                                  .arguments = {},
                                  .options = {{.names = {"--it's"}, .value = {}, .choices = {}, .help = "It's it"}},
                                  .subcommands = {},
                                  .examples = {}};
  for (const std::string_view shell : base::kShells) {
    CHECK_THAT(base::completion_script(program, shell), ContainsSubstring("my-prog"));
  }
  CHECK_THROWS_AS(base::completion_script(program, "csh"), base::Error);
}
