#include "base/core_dumps.h"

#include <csignal>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/catch.h"

TEST_CASE("a process that forbids core dumps leaves none, whatever the machine does with them") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    base::forbid_core_dumps();
    static_cast<void>(std::signal(SIGABRT, SIG_DFL));
    std::abort();
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK_FALSE(WCOREDUMP(status));
}
