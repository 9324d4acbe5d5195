#include "launcher/policy/output_policy.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::LogRedirect;

TEST_CASE("output is let out where the image's author says so") {
  constexpr const char* kLabel = "tee.launch_policy.log_redirect";
  const std::string only_debug =
      "logging redirection only allowed on debug environment by image (tee.launch_policy.log_redirect)";
  const std::string never = "logging redirection not allowed by image (tee.launch_policy.log_redirect)";
  struct Row {
    launcher::ImageLabels labels;
    std::string on_hardened;
    std::string on_debug;
  };
  for (const Row& row : {Row{{}, only_debug, ""}, Row{{{kLabel, "debugonly"}}, only_debug, ""},
                         Row{{{kLabel, "Always"}}, "", ""}, Row{{{kLabel, "never"}}, never, never}}) {
    const auto read = test::read_policy<launcher::OutputPolicy>(row.labels);
    CHECK(read.problems.empty());
    for (const LogRedirect redirect : {LogRedirect::kAll, LogRedirect::kJournal, LogRedirect::kConsole}) {
      launcher::LaunchSpec spec = test::some_spec();
      spec.log_redirect = redirect;
      for (const bool hardened : {true, false}) {
        launcher::Problems problems;
        read.policy.verify(spec, hardened, problems);
        CHECK(test::text_of(problems) == (hardened ? row.on_hardened : row.on_debug));
      }
    }
    launcher::Problems problems;
    read.policy.verify(test::some_spec(), true, problems);
    CHECK(problems.empty());
  }
  CHECK_FALSE(test::read_policy<launcher::OutputPolicy>({{kLabel, "true"}}).problems.empty());
}
