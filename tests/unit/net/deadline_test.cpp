#include "net/deadline.h"

#include <optional>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using base::Milliseconds;
using net::Deadline;

TEST_CASE("past a deadline what is under way is interrupted, and what goes on all the same is closed") {
  test::ManualContext context;
  base::Event interrupted(context.get_executor());
  base::Event closed(context.get_executor());
  Deadline deadline(
      context.get_executor(), [&] { interrupted.set(); }, [&] { closed.set(); });
  CHECK_FALSE(deadline.passed());
  deadline.arm(Milliseconds(5));
  context.time.advance(Milliseconds(4));
  context.poll();
  CHECK_FALSE(interrupted.is_set());
  CHECK_FALSE(deadline.passed());
  context.time.advance(Milliseconds(1));
  context.poll();
  CHECK(interrupted.is_set());
  CHECK(deadline.passed());
  context.time.advance(Milliseconds(999));
  context.poll();
  CHECK_FALSE(closed.is_set());
  context.time.advance(Milliseconds(1));
  context.poll();
  CHECK(closed.is_set());
}

TEST_CASE("a deadline that was armed anew in time does nothing") {
  test::ManualContext context;
  int interruptions = 0;
  Deadline deadline(
      context.get_executor(), [&] { ++interruptions; }, [&] { ++interruptions; });
  deadline.arm(Milliseconds(0));  // its timer has expired before the context runs
  deadline.arm(Milliseconds(60000));
  CHECK_FALSE(deadline.passed());
  context.poll();
  CHECK(interruptions == 0);
  deadline.arm(Milliseconds(0));
  CHECK(deadline.passed());
  deadline.disarm();
  CHECK_FALSE(deadline.passed());
  context.poll();
  CHECK(interruptions == 0);
}

TEST_CASE("a deadline that is disarmed in the turn in which it expires does nothing") {
  test::ManualContext context;
  int interruptions = 0;
  Deadline deadline(
      context.get_executor(), [&] { ++interruptions; }, [&] { ++interruptions; });
  base::Timer first(context.get_executor(), Milliseconds(1));
  first.async_wait([&](const boost::system::error_code&) { deadline.disarm(); });
  deadline.arm(Milliseconds(1));
  context.time.advance(Milliseconds(1));
  context.poll();
  CHECK(interruptions == 0);
}

TEST_CASE("a deadline that is gone does nothing") {
  test::ManualContext context;
  int interruptions = 0;
  std::optional<Deadline> deadline;
  deadline.emplace(
      context.get_executor(), [&] { ++interruptions; }, [&] { ++interruptions; });
  deadline->arm(Milliseconds(0));
  deadline.reset();
  context.run();
  CHECK(interruptions == 0);
}
