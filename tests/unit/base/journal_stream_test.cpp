#include "base/journal_stream.h"

#include <map>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/support/environment.h"

namespace {

bool is_journal(const std::string& stream) {
  const test::Environment environment(std::map<std::string, std::string>{{"JOURNAL_STREAM", stream}});
  return base::log_is_journal();
}

}  // namespace

TEST_CASE("the log is the journal's when standard error is the very stream that systemd tells of") {
  struct stat status {};
  REQUIRE(::fstat(STDERR_FILENO, &status) == 0);
  const std::string device = std::to_string(status.st_dev) + ":";
  CHECK(is_journal(device + std::to_string(status.st_ino)));
  CHECK_FALSE(is_journal(device + std::to_string(status.st_ino + 1)));
  CHECK_FALSE(is_journal(""));
}
