#include "base/core_dumps.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/catch.h"

TEST_CASE("a process that forbids core dumps can't be made to leave one") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    base::forbid_core_dumps();
    rlimit limit{};
    const bool none = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
    ::_exit(none ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
