#include "net/deadline.h"

#include <optional>

#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using base::Milliseconds;
using net::Deadline;

TEST_CASE("past a deadline what is under way is interrupted, and what goes on all the same is closed") {
  asio::io_context context;
  base::Event interrupted(context.get_executor());
  base::Event closed(context.get_executor());
  Deadline deadline(
      context.get_executor(), [&] { interrupted.set(); }, [&] { closed.set(); });
  CHECK_FALSE(deadline.passed());
  deadline.arm(Milliseconds(1));
  test::run(context, interrupted.wait());
  CHECK(deadline.passed());
  CHECK_FALSE(closed.is_set());
  test::run(context, closed.wait());
}

TEST_CASE("a deadline that was armed anew in time does nothing") {
  asio::io_context context;
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
  asio::io_context context;
  int interruptions = 0;
  Deadline deadline(
      context.get_executor(), [&] { ++interruptions; }, [&] { ++interruptions; });
  const auto when = std::chrono::steady_clock::now();
  asio::steady_timer first(context.get_executor(), when);
  first.async_wait([&](const boost::system::error_code&) { deadline.disarm(); });
  deadline.arm_at(when + std::chrono::nanoseconds(1));
  context.run();
  CHECK(interruptions == 0);
}

TEST_CASE("a deadline that is gone does nothing") {
  asio::io_context context;
  int interruptions = 0;
  std::optional<Deadline> deadline;
  deadline.emplace(
      context.get_executor(), [&] { ++interruptions; }, [&] { ++interruptions; });
  deadline->arm(Milliseconds(0));
  deadline.reset();
  context.run();
  CHECK(interruptions == 0);
}
