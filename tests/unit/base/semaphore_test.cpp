#include "base/semaphore.h"

#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using base::Milliseconds;
using base::Semaphore;

namespace {

constexpr Milliseconds kLongWait{60000};

struct SemaphoreWorld {
  asio::io_context context;
  Semaphore semaphore{context.get_executor(), 2};
  std::vector<int> inside;  ///< in the order in which they came in
  std::vector<int> refused;
  std::vector<std::unique_ptr<base::Event>> may_leave;

  Awaitable<void> visit(int who, Milliseconds patience) {
    const std::optional<Semaphore::Place> place = co_await semaphore.enter(patience);
    if (!place) {
      refused.push_back(who);
      co_return;
    }
    inside.push_back(who);
    co_await may_leave[static_cast<std::size_t>(who)]->wait();
  }

  void send(int visitors, asio::cancellation_slot slot = {}) {
    for (int i = 0; i < visitors; ++i) {
      const int who = static_cast<int>(may_leave.size());
      may_leave.push_back(std::make_unique<base::Event>(context.get_executor()));
      asio::co_spawn(context, visit(who, kLongWait),
                     asio::bind_cancellation_slot(slot, [](const std::exception_ptr&) {}));
    }
    settle();
  }

  void let_leave(int who) {
    may_leave[static_cast<std::size_t>(who)]->set();
    settle();
  }

  void settle() {
    context.restart();
    context.poll();
  }
};

}  // namespace

TEST_CASE("a semaphore lets in as many as it has places, then one for each that leaves, in order") {
  SemaphoreWorld world;
  world.send(5);
  CHECK(world.inside == std::vector<int>{0, 1});
  world.let_leave(1);
  CHECK(world.inside == std::vector<int>{0, 1, 2});
  world.let_leave(0);
  world.let_leave(2);
  CHECK(world.inside == std::vector<int>{0, 1, 2, 3, 4});
  world.let_leave(3);
  world.let_leave(4);
  world.send(3);
  CHECK(world.inside.size() == 7);
}

TEST_CASE("who has no patience gets no place, and takes none") {
  SemaphoreWorld world;
  world.send(2);
  world.may_leave.push_back(std::make_unique<base::Event>(world.context.get_executor()));
  asio::co_spawn(world.context, world.visit(2, Milliseconds(0)), [](const std::exception_ptr&) {});
  world.context.restart();
  while (world.refused.empty()) world.context.run_one();
  CHECK(world.refused == std::vector<int>{2});
  world.let_leave(0);
  world.send(2);
  CHECK(world.inside == std::vector<int>{0, 1, 3});
}

TEST_CASE("who is cancelled while it waits, or just when it is called, takes no place") {
  for (int steps = 0; steps < 6; ++steps) {
    CAPTURE(steps);
    SemaphoreWorld world;
    asio::cancellation_signal signal;
    world.send(2);
    world.send(1, signal.slot());
    world.send(1);
    world.may_leave[0]->set();
    world.context.restart();
    for (int i = 0; i < steps; ++i) world.context.poll_one();
    signal.emit(asio::cancellation_type::terminal);
    world.settle();
    world.let_leave(2);  // if it has come in
    CHECK(world.inside.back() == 3);
  }
}

TEST_CASE("a place may outlive its semaphore") {
  asio::io_context context;
  std::optional<Semaphore> semaphore(std::in_place, context.get_executor(), 1);
  std::optional<Semaphore::Place> place = test::run(context, semaphore->enter(kLongWait));
  semaphore.reset();
  CHECK(place);
  place.reset();
}
