#include "net/connect.h"

#include <optional>

#include <sys/socket.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"

using asio::ip::tcp;
using base::Milliseconds;
using boost::system::error_code;

namespace {

constexpr Milliseconds kLong{20000};
constexpr Milliseconds kNever{0};

tcp::endpoint at(const char* address, std::uint16_t port) { return {asio::ip::make_address(address), port}; }

/// A port that swallows what is sent to it: the queue of connections is full, so the kernel drops who comes.
class BlackHole {
 public:
  explicit BlackHole(asio::io_context& context) : acceptor_(context) {
    acceptor_.open(tcp::v4());
    acceptor_.bind(at("127.0.0.1", 0));
    acceptor_.listen(0);
    for (int i = 0; i < 4; ++i) {
      const auto& socket = waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const tcp::endpoint there = endpoint();
      static_cast<void>(::connect(socket.get(), there.data(), static_cast<socklen_t>(there.size())));
    }
  }

  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  tcp::acceptor acceptor_;
  std::vector<base::FileDescriptor> waiting_;
};

struct World {
  test::ManualContext context;
  error_code code;
  std::optional<tcp::endpoint> peer;

  base::Awaitable<void> connect_within(std::vector<tcp::endpoint> endpoints, Milliseconds patience) {
    const net::Connected connected = co_await net::connect_any(std::move(endpoints), context.time.now() + patience);
    code = connected.code;
    peer.reset();
    if (!code) peer = connected.socket.remote_endpoint();
  }
  /// Nothing is waited for that is further away than `longest`, but for the kernel's answers.
  void connect(std::vector<tcp::endpoint> endpoints, Milliseconds longest, Milliseconds patience = kLong) {
    context.time.run(connect_within(std::move(endpoints), patience), longest);
  }
};

}  // namespace

TEST_CASE("families are tried by turns, the first one's first") {
  const tcp::endpoint a6 = at("2001:db8::1", 1);
  const tcp::endpoint b6 = at("2001:db8::2", 1);
  const tcp::endpoint c6 = at("2001:db8::3", 1);
  const tcp::endpoint a4 = at("192.0.2.1", 1);
  const tcp::endpoint b4 = at("192.0.2.2", 1);
  using Endpoints = std::vector<tcp::endpoint>;
  CHECK(net::by_turns({a6, b6, c6, a4, b4}) == Endpoints{a6, a4, b6, b4, c6});
  CHECK(net::by_turns({a4, a6, b6}) == Endpoints{a4, a6, b6});
  CHECK(net::by_turns({a4, b4}) == Endpoints{a4, b4});
  CHECK(net::by_turns({}).empty());
  CHECK(net::by_turns(Endpoints(1000, a4)).size() == net::kMaxAddresses);
}

TEST_CASE("an address that swallows everything holds up nobody") {
  World world;
  const BlackHole hole(world.context);
  tcp::acceptor good(world.context, at("127.0.0.1", 0));
  world.connect({hole.endpoint(), hole.endpoint(), good.local_endpoint()}, net::kAttemptDelay);
  CHECK_FALSE(world.code);
  CHECK(world.peer == good.local_endpoint());
  CHECK(world.context.time.elapsed() == 2 * net::kAttemptDelay);
}

TEST_CASE("an attempt that fails makes room for the next at once") {
  World world;
  tcp::acceptor good(world.context, at("127.0.0.1", 0));
  std::vector<tcp::endpoint> endpoints(net::kMaxAddresses - 1, at("127.0.0.1", 1));
  endpoints.push_back(good.local_endpoint());
  world.connect(endpoints, kNever);
  CHECK(world.peer == good.local_endpoint());
  CHECK(world.context.time.elapsed() == Milliseconds(0));
  endpoints.insert(endpoints.begin(), at("127.0.0.1", 1));
  world.connect(endpoints, kNever);
  CHECK(world.code == asio::error::connection_refused);
}

TEST_CASE("when none answers the first failure is told, or that it took too long") {
  World world;
  world.connect({at("127.0.0.1", 1), at("127.0.0.1", 2)}, kNever);
  CHECK(world.code == asio::error::connection_refused);
  world.connect({}, kNever);
  CHECK(world.code == asio::error::host_not_found);
  const BlackHole hole(world.context);
  world.connect({hole.endpoint(), at("127.0.0.1", 1)}, net::kAttemptDelay, Milliseconds(300));
  CHECK(world.code == asio::error::timed_out);
  CHECK(world.context.time.elapsed() == Milliseconds(300));
}

TEST_CASE("connecting can be cancelled") {
  World world;
  const BlackHole hole(world.context);
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  asio::co_spawn(world.context, world.connect_within({hole.endpoint()}, kLong),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& f) { failure = f; }));
  world.context.poll();
  signal.emit(asio::cancellation_type::terminal);
  world.context.run();  // nothing is left behind
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}
