#include "net/connection_table.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using net::ConnectionTable;
using net::Peer;
using State = ConnectionTable::State;

namespace {

/// A table, and what happened to the connections in it, by name.
struct TableWorld {
  explicit TableWorld(std::size_t connections, std::size_t bytes = 100) : table({connections, bytes}) {}

  std::unique_ptr<ConnectionTable::Place> add(const Peer& peer, const std::string& name, State state = State::kSilent) {
    auto place = table.add(peer, {.close = [this, name] { events.push_back("close " + name); },
                                  .cancel = [this, name] { events.push_back("cancel " + name); }});
    if (place && state != State::kSilent) place->set_state(state);
    return place;
  }

  std::vector<std::string> take() { return std::exchange(events, {}); }

  ConnectionTable table;
  std::vector<std::string> events;
};

using Events = std::vector<std::string>;
const Peer kOne = Peer::of_process(1);
const Peer kTwo = Peer::of_process(2);

}  // namespace

TEST_CASE("while there is room nobody's share counts") {
  TableWorld world(3);
  const auto a = world.add(kOne, "a");
  const auto b = world.add(kOne, "b");
  const auto c = world.add(kOne, "c");
  CHECK(c);
  CHECK(world.take().empty());
}

TEST_CASE("without room the peer with most loses the connection that has waited longest") {
  TableWorld world(4);
  const auto a = world.add(kTwo, "a", State::kIdle);
  const auto b = world.add(kOne, "b", State::kIdle);
  const auto c = world.add(kOne, "c", State::kReading);
  const auto d = world.add(kOne, "d", State::kIdle);
  const auto e = world.add(kTwo, "e");
  CHECK(e);
  CHECK(world.take() == Events{"close b"});
  // The closed one is no longer counted, though it is still there. Now both have two, and nobody gives way to one with
  // as much.
  const auto f = world.add(kTwo, "f");
  CHECK(world.take() == Events{"close e"});
}

TEST_CASE("who never said anything goes before who has") {
  TableWorld world(3);
  const auto a = world.add(kOne, "a", State::kReading);
  const auto b = world.add(kOne, "b", State::kIdle);
  const auto c = world.add(kOne, "c");
  const auto d = world.add(kOne, "d", State::kReading);
  CHECK(world.take() == Events{"close c"});
  const auto e = world.add(kOne, "e", State::kReading);
  CHECK(world.take() == Events{"close a"});
}

TEST_CASE("nobody gives way to a peer that has more") {
  TableWorld world(3);
  const auto a = world.add(kOne, "a", State::kAnswering);
  const auto b = world.add(kOne, "b", State::kAnswering);
  const auto c = world.add(kTwo, "c", State::kIdle);
  CHECK_FALSE(world.add(kOne, "d"));
  CHECK(world.take().empty());
}

TEST_CASE("work under way is broken off only for a peer with nothing like as much") {
  TableWorld world(3);
  const auto a = world.add(kOne, "a", State::kAnswering);
  const auto b = world.add(kOne, "b", State::kAnswering);
  const auto c = world.add(kOne, "c", State::kAnswering);
  CHECK_FALSE(world.add(kOne, "d"));
  const auto e = world.add(kTwo, "e", State::kAnswering);
  CHECK(e);
  CHECK(world.take() == Events{"close a", "cancel a"});
  CHECK_FALSE(world.add(kTwo, "f"));
  CHECK_FALSE(world.add(kOne, "g"));
}

TEST_CASE("memory of work under way is taken for a peer that has less, after all that keeps the server waiting") {
  TableWorld world(10, 100);
  const auto work = world.add(kOne, "work", State::kAnswering);
  const auto answer = world.add(kOne, "answer", State::kWriting);
  const auto honest = world.add(kTwo, "honest", State::kWriting);
  CHECK(work->hold(60));
  CHECK(answer->hold(40));
  CHECK(honest->hold(10));
  CHECK(world.take() == Events{"close answer"});
  CHECK(honest->hold(45));
  CHECK(world.take() == Events{"close work", "cancel work"});
}

TEST_CASE("memory is shared out like connections, and what keeps the server waiting loses it first") {
  TableWorld world(10, 100);
  const auto a = world.add(kOne, "a", State::kReading);
  const auto b = world.add(kOne, "b", State::kAnswering);
  const auto c = world.add(kTwo, "c", State::kReading);
  CHECK(a->hold(40));
  CHECK(b->hold(40));
  CHECK(c->hold(20));
  CHECK_FALSE(b->hold(81));  // its own peer's other one would not do, and the other peer has less
  CHECK(world.take() == Events{"close a"});
  CHECK(c->hold(60));
  CHECK_FALSE(c->hold(61));
  CHECK(c->hold(0));
  CHECK(b->hold(100));
}

TEST_CASE("a peer makes room in its own share first") {
  TableWorld world(10, 100);
  const auto a = world.add(kOne, "a", State::kReading);
  const auto b = world.add(kOne, "b", State::kReading);
  const auto c = world.add(kTwo, "c", State::kReading);
  CHECK(c->hold(30));
  CHECK(a->hold(60));
  CHECK(b->hold(50));
  CHECK(world.take() == Events{"close a"});
  CHECK_FALSE(a->hold(1));  // it is on its way out
}

TEST_CASE("a connection's share moves with its peer") {
  TableWorld world(3);
  const auto a = world.add(kOne, "a", State::kIdle);
  const auto b = world.add(kOne, "b", State::kIdle);
  const auto c = world.add(kTwo, "c", State::kIdle);
  b->set_peer(kTwo);
  const auto d = world.add(kOne, "d");
  CHECK(d);
  CHECK(world.take() == Events{"close b"});
}

TEST_CASE("a place that is given up makes room, and the last one is told") {
  TableWorld world(1);
  int emptied = 0;
  world.table.on_empty([&emptied] { ++emptied; });
  {
    const auto a = world.add(kOne, "a", State::kAnswering);
    CHECK_FALSE(world.add(kOne, "b"));
  }
  CHECK(emptied == 1);
  CHECK(world.add(kOne, "c"));
  CHECK(world.table.empty());
}

TEST_CASE("closing: those between requests, or all of them") {
  TableWorld world(4);
  const auto a = world.add(kOne, "a");
  const auto b = world.add(kOne, "b", State::kReading);
  const auto c = world.add(kOne, "c", State::kAnswering);
  const auto d = world.add(kOne, "d", State::kIdle);
  world.table.close_idle();
  CHECK(world.take() == Events{"close a", "close d"});
  world.table.close_all();
  CHECK(world.take().size() == 8);
}
