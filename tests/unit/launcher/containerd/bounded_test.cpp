#include "launcher/containerd/bounded.h"

#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

namespace launcher {
namespace {

constexpr base::Milliseconds kLong{60000};

base::Awaitable<void> work_for(base::Milliseconds duration, bool& ended) {
  const auto executor = co_await asio::this_coro::executor;
  try {
    co_await base::sleep_for(executor, duration);
  } catch (const boost::system::system_error&) {
    ended = true;
    throw;
  }
  ended = true;
}

base::Awaitable<void> fail() {
  throw base::Error("of its own");
  co_return;
}

}  // namespace

TEST_CASE("work that ends in time is let alone") {
  test::ManualContext context;
  bool ended = false;
  context.time.run(within(kLong, "work", work_for(base::Milliseconds{1}, ended)));
  CHECK(ended);
  CHECK_THROWS_WITH(test::run(context, within(kLong, "work", fail())), "of its own");
}

TEST_CASE("work that takes too long is cancelled and named") {
  test::ManualContext context;
  bool ended = false;
  CHECK_THROWS_WITH(context.time.run(within(base::Milliseconds{10}, "work", work_for(kLong, ended))),
                    "containerd work: not done after 10 ms");
  CHECK(ended);
}

TEST_CASE("a caller that is cancelled goes on with nothing, even if the work ends at the same moment") {
  test::ManualContext context;
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  const auto work = [&]() -> base::Awaitable<void> {
    signal.emit(asio::cancellation_type::terminal);
    co_return;
  };
  asio::co_spawn(context, within(kLong, "work", work()),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr f) { failure = std::move(f); }));
  context.run();
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}

}  // namespace launcher
