#include "launcher/containerd/bounded.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/run.h"

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
  asio::io_context context;
  bool ended = false;
  test::run(context, within(kLong, "work", work_for(base::Milliseconds{1}, ended)));
  CHECK(ended);
  CHECK_THROWS_WITH(test::run(context, within(kLong, "work", fail())), "of its own");
}

TEST_CASE("work that takes too long is cancelled and named") {
  asio::io_context context;
  bool ended = false;
  CHECK_THROWS_WITH(test::run(context, within(base::Milliseconds{10}, "work", work_for(kLong, ended))),
                    "containerd work: not done after 10 ms");
  CHECK(ended);
}

}  // namespace launcher
