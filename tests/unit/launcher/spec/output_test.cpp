#include "launcher/spec/output.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::LogRedirect;
using launcher::read_log_redirect;
using test::read_attributes;

TEST_CASE("output goes where its attribute says, and nowhere without it") {
  struct Row {
    const char* text;
    LogRedirect redirect;
    bool journal;
    bool console;
  };
  for (const Row& row :
       {Row{"", LogRedirect::kNowhere, false, false}, Row{"false", LogRedirect::kNowhere, false, false},
        Row{"true", LogRedirect::kAll, true, true}, Row{"cloud_logging", LogRedirect::kJournal, true, false},
        Row{"serial", LogRedirect::kConsole, false, true}}) {
    CAPTURE(row.text);
    const auto read = read_attributes({{"tee-container-log-redirect", row.text}}, read_log_redirect);
    CHECK(read.problems.empty());
    CHECK(read.value == row.redirect);
    CHECK(launcher::goes_to_journal(read.value) == row.journal);
    CHECK(launcher::goes_to_console(read.value) == row.console);
  }
  CHECK(read_attributes({}, read_log_redirect).value == LogRedirect::kNowhere);
}

TEST_CASE("other places are refused with a list of those that there are") {
  for (const char* text : {"True", "1", "journal", " true"}) {
    const auto read = read_attributes({{"tee-container-log-redirect", text}}, read_log_redirect);
    CHECK(read.problems == "tee-container-log-redirect: invalid logging redirect location " + std::string(text) +
                               ", expect one of [true cloud_logging serial false]");
    CHECK(read.value == LogRedirect::kNowhere);
  }
}
