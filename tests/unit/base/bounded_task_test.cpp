#include "base/bounded_task.h"

#include <stdexcept>

#include <boost/asio/redirect_error.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using base::BoundedTask;
using base::Milliseconds;

namespace {

constexpr Milliseconds kLong{3600000};
constexpr Milliseconds kShort{1};

struct World {
  test::ManualContext context;
  base::Event release{context.get_executor()};
  bool cancelled = false;

  Awaitable<void> fail() {
    throw std::length_error("too long");
    co_return;
  }

  /// Hears no cancellation until it is released, as a thread in getaddrinfo(3).
  Awaitable<void> hang() {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await release.wait();
    cancelled = true;
  }

  BoundedTask start(Awaitable<void> work) { return {context.get_executor(), std::move(work)}; }
};

}  // namespace

TEST_CASE("a task ends with what it threw") {
  World world;
  const BoundedTask task = world.start(world.fail());
  test::run(world.context, task.wait());
  CHECK(task.has_ended());
  CHECK_THROWS_AS(std::rethrow_exception(task.failure()), std::length_error);
}

TEST_CASE("a task that can be cancelled ends when it is") {
  World world;
  BoundedTask task = world.start(base::sleep_for(world.context.get_executor(), kLong));
  world.context.time.run(task.wait_for(kShort));
  CHECK_FALSE(task.has_ended());
  task.cancel();
  world.context.time.run(task.wait_for(kLong));
  CHECK(task.has_ended());
  CHECK_THROWS_AS(std::rethrow_exception(task.failure()), boost::system::system_error);
}

TEST_CASE("a task that does not end although it was cancelled is let go of, and its owner goes on") {
  World world;
  BoundedTask task = world.start(world.hang());
  world.context.time.run(task.wait_for(kShort));
  task.cancel();
  world.context.time.run(task.wait_for(kShort));
  REQUIRE_FALSE(task.has_ended());
  task.let_go();
  test::run(world.context, task.wait());
  CHECK_THROWS_AS(std::rethrow_exception(task.failure()), boost::system::system_error);
  world.release.set();
  world.context.restart();
  world.context.run();
  CHECK(task.has_ended());
  CHECK(task.failure() == nullptr);
}

TEST_CASE("whoever has ended is not let go of") {
  World world;
  BoundedTask task = world.start(world.fail());
  test::run(world.context, task.wait());
  task.let_go();
  CHECK_THROWS_AS(std::rethrow_exception(task.failure()), std::length_error);
}
