#include "base/within.h"

#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

namespace {

using namespace std::chrono_literals;

base::Awaitable<int> seven_after(asio::any_io_executor executor, base::Milliseconds duration, bool& cancelled) {
  try {
    co_await base::sleep_for(executor, duration);
  } catch (const boost::system::system_error&) {
    cancelled = true;
    throw;
  }
  co_return 7;
}

base::Awaitable<int> failing() {
  throw base::Error("broken");
  co_return 0;
}

}  // namespace

TEST_CASE("what ends within its bound gives its result, and is cancelled behind it") {
  asio::io_context context;
  bool cancelled = false;
  CHECK(test::run(context, base::within(60s, seven_after(context.get_executor(), 1ms, cancelled))) == 7);
  CHECK_FALSE(cancelled);
  CHECK_FALSE(test::run(context, base::within(1ms, seven_after(context.get_executor(), 60s, cancelled))));
  CHECK(cancelled);
}

TEST_CASE("what fails within its bound fails") {
  asio::io_context context;
  CHECK_THROWS_WITH(test::run(context, base::within(60s, failing())), "broken");
}
