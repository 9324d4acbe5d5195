#include "base/timer.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"

using std::chrono::milliseconds;

TEST_CASE("a timer waits for its moment on the steady clock, where nobody says otherwise") {
  asio::io_context context;
  base::Timer timer(context.get_executor());
  CHECK_FALSE(timer.expired());
  timer.expires_after(std::chrono::hours(1));
  CHECK_FALSE(timer.expired());
  bool rang = false;
  timer.expires_after(milliseconds(0));
  timer.async_wait([&](const boost::system::error_code&) { rang = true; });
  context.run();
  CHECK(rang);
  CHECK(timer.expired());
}

TEST_CASE("a wait that is over too early tells so") {
  test::ManualContext context;
  base::Timer timer(context.get_executor(), milliseconds(10));
  int ends = 0;
  const auto wait = [&] { timer.async_wait([&](const boost::system::error_code&) { ++ends; }); };
  wait();
  timer.cancel();
  context.poll();
  CHECK(ends == 1);
  CHECK_FALSE(timer.expired());
  wait();
  timer.expires_after(milliseconds(20));
  context.restart();
  context.poll();
  CHECK(ends == 2);
  CHECK_FALSE(timer.expired());
  wait();
  context.time.advance(milliseconds(19));
  context.restart();
  context.poll();
  CHECK(ends == 2);
  context.time.advance(milliseconds(1));
  context.poll();
  CHECK(ends == 3);
  CHECK(timer.expired());
}

TEST_CASE("each context has its own time, for all that waits in it") {
  test::ManualContext context;
  test::ManualContext other;
  base::Timer here(context.get_executor(), milliseconds(10));
  const base::Timer there(other.get_executor(), milliseconds(10));
  context.time.advance(milliseconds(10));
  CHECK(here.expired());
  CHECK_FALSE(there.expired());
  CHECK(&base::TimeService::of(context.get_executor()) == &context.time);
}

TEST_CASE("a wait that is cancelled from outside is no sleep that is over") {
  test::ManualContext context;
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  asio::co_spawn(context, base::sleep_for(context.get_executor(), milliseconds(10)),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& f) { failure = f; }));
  context.poll();
  signal.emit(asio::cancellation_type::terminal);
  context.poll();
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}
