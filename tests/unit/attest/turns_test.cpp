#include "attest/turns.h"

#include <list>
#include <memory>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"

using attest::Turns;

namespace {

constexpr base::Milliseconds kPatience{60000};

/// Processes that wait for turns, keep them for as long as a test wants, and what was said to each.
struct TurnsWorld {
  explicit TurnsWorld(Turns::Limits limits) : turns(context.get_executor(), limits) {}

  static net::Peer process(int number) { return net::Peer::of_process(number); }

  base::Awaitable<void> hold(int number) {
    std::optional<Turns::Turn> turn = co_await turns.wait(process(number));
    co_await asio::post(context, asio::use_awaitable);  // whoever has left meanwhile ends here
    told += (told.empty() ? "" : " ") + std::string(turn ? "" : "-") + std::to_string(number);
    if (turn) held.push_back(std::move(*turn));
  }

  void ask(int number, int times = 1) {
    for (int i = 0; i < times; ++i) asio::co_spawn(context, hold(number), asio::detached);
    settle();
  }

  void finish(int times = 1) {
    for (int i = 0; i < times; ++i) {
      REQUIRE_FALSE(held.empty());
      held.pop_front();
      settle();
    }
  }

  void settle() {
    context.restart();
    context.poll();
  }

  test::ManualContext context;
  Turns turns;
  std::list<Turns::Turn> held;
  std::string told;  ///< numbers of processes in the order in which they were told, with "-" those without a turn
};

Turns::Limits limits(std::size_t at_once, std::size_t of_one, std::size_t all) {
  return {.at_once = at_once, .max_waiting_of_one = of_one, .max_waiting = all, .patience = kPatience};
}

}  // namespace

TEST_CASE("only so many have a turn at a time") {
  TurnsWorld world(limits(2, 8, 8));
  world.ask(1, 3);
  CHECK(world.told == "1 1");
  world.finish();
  CHECK(world.told == "1 1 1");
  world.finish(2);
  world.ask(1, 2);
  CHECK(world.told == "1 1 1 1 1");
}

TEST_CASE("one that asks for much waits behind each that asks for little (S 26)") {
  TurnsWorld world(limits(1, 32, 256));
  world.ask(1, 20);
  world.ask(2);
  world.ask(3, 2);
  world.finish(6);
  CHECK(world.told == "1 1 2 3 1 3 1");
}

TEST_CASE("an honest process waits for one turn of each of 200 greedy ones at the most (S 26)") {
  TurnsWorld world(limits(1, 32, 256));
  for (int greedy = 1; greedy <= 200; ++greedy) world.ask(greedy, 1 + greedy % 40);
  for (int again = 0; again < 3; ++again) {
    world.ask(1000);
    world.told.clear();
    int turns = 0;
    while (world.told.find("1000") == std::string::npos) {
      world.finish();
      REQUIRE(++turns <= 201);
    }
  }
}

TEST_CASE("a process has no more waiting than it may") {
  TurnsWorld world(limits(1, 2, 8));
  world.ask(1, 4);
  CHECK(world.told == "1 -1");
  world.ask(2);
  CHECK(world.told == "1 -1");
  world.finish();
  world.ask(1);
  CHECK(world.told == "1 -1 1");
}

TEST_CASE("when all have as much waiting as they may, who has most gives way") {
  TurnsWorld world(limits(1, 8, 4));
  world.ask(1, 4);
  world.ask(2);
  CHECK(world.told == "1");
  world.ask(3);
  CHECK(world.told == "1 -1");
  SECTION("the last of who has most has lost its place, nobody else") {
    world.finish(4);
    CHECK(world.told == "1 -1 1 2 3 1");
  }
  SECTION("nobody gives way to one that would have as much") {
    world.ask(3);
    CHECK(world.told == "1 -1 -3");
    world.finish(4);
    CHECK(world.told == "1 -1 -3 1 2 3 1");
  }
}

TEST_CASE("a wait has an end") {
  TurnsWorld world(limits(1, 8, 8));
  world.ask(1, 2);
  world.context.time.advance(kPatience - base::Milliseconds(1));
  world.settle();
  CHECK(world.told == "1");
  world.context.time.advance(base::Milliseconds(1));
  world.settle();
  CHECK(world.told == "1 -1");
  world.finish();
  world.ask(2);
  CHECK(world.told == "1 -1 2");
}

TEST_CASE("one that leaves while it waits leaves its place") {
  TurnsWorld world(limits(1, 1, 8));
  world.ask(1);
  asio::cancellation_signal leave;
  asio::co_spawn(world.context, world.hold(2), asio::bind_cancellation_slot(leave.slot(), asio::detached));
  world.settle();
  leave.emit(asio::cancellation_type::terminal);
  world.settle();
  world.ask(2);
  CHECK(world.told == "1");
  world.finish();
  CHECK(world.told == "1 2");
}

TEST_CASE("one that leaves at the moment of its turn passes it on") {
  TurnsWorld world(limits(1, 8, 8));
  world.ask(1);
  asio::cancellation_signal leave;
  asio::co_spawn(world.context, world.hold(2), asio::bind_cancellation_slot(leave.slot(), asio::detached));
  world.settle();
  world.ask(3);
  world.held.clear();  // called, but not awake yet
  leave.emit(asio::cancellation_type::terminal);
  world.settle();
  CHECK(world.told.ends_with(" 3"));
}

TEST_CASE("a turn may outlive the turns") {
  test::ManualContext context;
  auto turns = std::make_unique<Turns>(context.get_executor(), Turns::Limits{});
  const std::optional<Turns::Turn> turn = context.time.run(turns->wait(TurnsWorld::process(1)));
  turns.reset();
  CHECK(turn);
}

TEST_CASE("as many attestations at a time as their requests leave room for, and one at least") {
  CHECK(attest::attestations_at_once(0) == 8);
  CHECK(attest::attestations_at_once(512 << 10) == 8);
  CHECK(attest::attestations_at_once((512 << 10) + 1) == 7);
  CHECK(attest::attestations_at_once(4 << 20) == 1);
  CHECK(attest::attestations_at_once(8 << 20) == 1);
}
