#include "csctl/input/time.h"

#include "base/error.h"
#include "tests/unit/catch.h"

TEST_CASE("A time that is asked for is one of RFC 3339") {
  CHECK(base::to_unix_seconds(csctl::time_asked_for("2026-01-31T23:59:59Z", "--at")) == 1769903999);
  CHECK_THROWS_WITH(csctl::time_asked_for("tomorrow", "--at"), "--at: is no time like 2026-01-31T23:59:59Z");
  CHECK_THROWS_AS(csctl::time_asked_for("2026-01-31", "--at"), base::InvalidInput);
}

TEST_CASE("Without one it is now") {
  const auto before = base::Clock::system().wall();
  CHECK(csctl::time_asked_for("", "--at") >= before);
}
