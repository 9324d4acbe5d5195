#include "base/asio.h"

#include <future>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using base::Milliseconds;

namespace {

Awaitable<void> set_later(base::Event& event, Milliseconds delay) {
  co_await base::sleep_for(co_await asio::this_coro::executor, delay);
  event.set();
}

Awaitable<int> fail_after(Milliseconds delay, std::string text) {
  co_await base::sleep_for(co_await asio::this_coro::executor, delay);
  throw base::Error(text);
}

Awaitable<int> value_after(Milliseconds delay, int value) {
  co_await base::sleep_for(co_await asio::this_coro::executor, delay);
  co_return value;
}

}  // namespace

TEST_CASE("blocking work runs on the other thread and its result or exception comes back") {
  test::ManualContext context;
  asio::thread_pool pool(1);
  const auto here = std::this_thread::get_id();
  const auto there =
      test::run(context, base::run_blocking(pool.get_executor(), [] { return std::this_thread::get_id(); }));
  CHECK(there != here);
  const auto failing = []() -> int { throw base::Error("no"); };
  CHECK_THROWS_WITH(test::run(context, base::run_blocking(pool.get_executor(), failing)), "no");
}

TEST_CASE("work past its deadline is left behind") {
  test::ManualContext context;
  asio::thread_pool pool(1);
  std::promise<void> release;
  const auto hang = [released = release.get_future().share()] { released.wait(); };
  const auto on_timeout = [] { return base::Error("late"); };
  CHECK_THROWS_WITH(context.time.run(base::run_blocking(pool.get_executor(), Milliseconds(20), hang, on_timeout)),
                    "late");
  release.set_value();
}

TEST_CASE("an event wakes all who wait, and bounded waits end without it") {
  test::ManualContext context;
  base::Event event(context.get_executor());
  context.time.run(event.wait_for(Milliseconds(10)));
  CHECK_FALSE(event.is_set());
  asio::co_spawn(context, set_later(event, Milliseconds(5)), asio::detached);
  context.time.run(base::both(value_after(Milliseconds(1), 1), [](base::Event& e) -> Awaitable<int> {
    co_await e.wait();
    co_return 2;
  }(event)));
  CHECK(event.is_set());
  test::run(context, event.wait());
}

TEST_CASE("both: results of the two, or the first failure") {
  test::ManualContext context;
  const auto pair = context.time.run(base::both(value_after(Milliseconds(5), 1), value_after(Milliseconds(1), 2)));
  CHECK(pair == std::pair(1, 2));
  const auto slow = std::chrono::hours(1);
  CHECK_THROWS_WITH(context.time.run(base::both(value_after(slow, 1), fail_after(Milliseconds(1), "second"))),
                    "second");
  CHECK_THROWS_WITH(context.time.run(base::both(fail_after(Milliseconds(1), "first"), value_after(slow, 1))), "first");
}

namespace {

Awaitable<void> forever(bool& ended) {
  const std::shared_ptr<void> note(nullptr, [&ended](void*) { ended = true; });
  co_await base::sleep_for(co_await asio::this_coro::executor, std::chrono::hours(1));
}

Awaitable<void> fail_soon() {
  co_await base::sleep_for(co_await asio::this_coro::executor, Milliseconds(1));
  throw base::Error("child");
}

}  // namespace

TEST_CASE("a failing child cancels its siblings and its failure is the group's") {
  test::ManualContext context;
  base::TaskGroup group(context.get_executor());
  bool ended = false;
  group.spawn(forever(ended));
  group.spawn(fail_soon());
  CHECK_THROWS_WITH(context.time.run(group.join()), "child");
  CHECK(ended);
}

TEST_CASE("an owner who is cancelled as the last child ends hears of it behind the join") {
  test::ManualContext context;
  asio::cancellation_signal signal;
  bool went_on = false;
  bool cleaned_up = false;
  const auto child = [&]() -> Awaitable<void> {
    co_await base::sleep_for(context.get_executor(), Milliseconds(1));
    signal.emit(asio::cancellation_type::terminal);
  };
  const auto owner = [&]() -> Awaitable<void> {
    base::TaskGroup group(context.get_executor());
    group.spawn(child());
    bool is_cancelled = false;
    try {
      co_await group.join();
      went_on = true;
    } catch (const boost::system::system_error& error) {
      is_cancelled = error.code() == asio::error::operation_aborted;
    }
    if (!is_cancelled) co_return;
    co_await base::sleep_for(context.get_executor(), Milliseconds(1));
    cleaned_up = true;
  };
  asio::co_spawn(context, owner(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
  context.time.run_until([&] { return cleaned_up; });
  CHECK_FALSE(went_on);
  CHECK(cleaned_up);
}

TEST_CASE("a join leaves its owner as easy to cancel as before") {
  test::ManualContext context;
  bool throws = false;
  const auto owner = [&]() -> Awaitable<void> {
    base::TaskGroup group(context.get_executor());
    co_await group.join();
    throws = co_await asio::this_coro::throw_if_cancelled();
  };
  test::run(context, owner());
  CHECK(throws);
}

TEST_CASE("a cancelled group ends without a failure, and can be joined empty") {
  test::ManualContext context;
  base::TaskGroup group(context.get_executor());
  context.time.run(group.join());
  bool ended = false;
  group.spawn(forever(ended));
  group.cancel();
  context.time.run(group.join());
  CHECK(ended);
}
