#include "net/accept_thread.h"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "base/log.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using base::FileDescriptor;
using net::AcceptedConnection;
using net::AcceptThread;
using net::Peer;

namespace {

constexpr timeval kPatience{60, 0};  // of a socket, for what happens at once

FileDescriptor open_socket(int family) {
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(socket.get() >= 0);
  REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience)) == 0);
  REQUIRE(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)) == 0);
  return socket;
}

template <typename Address>
int bind_to(const FileDescriptor& socket, const Address& address) {
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

template <typename Address>
int connect_to(const FileDescriptor& socket, const Address& address) {
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

sockaddr_in loopback(const std::string& address, in_port_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = port;
  REQUIRE(::inet_pton(AF_INET, address.c_str(), &result.sin_addr) == 1);
  return result;
}

/// Waits until the other side has closed.
bool is_closed(const FileDescriptor& socket) {
  std::array<char, 1> byte{};
  const ssize_t got = ::recv(socket.get(), byte.data(), byte.size(), 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

struct Taken {
  void operator()(AcceptedConnection connection) { connections->push_back(std::move(connection)); }

  std::shared_ptr<std::vector<AcceptedConnection>> connections = std::make_shared<std::vector<AcceptedConnection>>();
};

/// A thread that accepts on a port.
struct TcpBench {
  explicit TcpBench(std::size_t max_waiting, AcceptThread::IsShared is_shared = {}) {
    FileDescriptor listening = open_socket(AF_INET);
    REQUIRE(bind_to(listening, loopback("127.0.0.1", 0)) == 0);
    REQUIRE(::listen(listening.get(), SOMAXCONN) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    acceptor = std::make_unique<AcceptThread>(context.get_executor(), std::move(listening), max_waiting, taken,
                                              std::move(is_shared));
  }

  FileDescriptor connect(const std::string& from) const {
    FileDescriptor socket = open_socket(AF_INET);
    REQUIRE(bind_to(socket, loopback(from, 0)) == 0);
    REQUIRE(connect_to(socket, address) == 0);
    return socket;
  }

  std::vector<AcceptedConnection>& take(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + test::kTestDeadline;
    while (taken.connections->size() < count && context.run_one_until(deadline) != 0) {
    }
    REQUIRE(taken.connections->size() == count);
    return *taken.connections;
  }

  asio::io_context context;
  Taken taken;
  sockaddr_in address{};
  std::unique_ptr<AcceptThread> acceptor;
};

Peer peer_at(const char* address) { return Peer::of_address(asio::ip::make_address(address)); }

}  // namespace

TEST_CASE("connections are handed over in their order, with whom they are of") {
  TcpBench bench(8);
  const auto first = bench.connect("127.0.0.2");
  const auto second = bench.connect("127.0.0.3");
  auto& taken = bench.take(2);
  CHECK(taken[0].address == asio::ip::make_address("127.0.0.2"));
  CHECK(taken[0].peer == peer_at("127.0.0.2"));
  CHECK(taken[1].peer == peer_at("127.0.0.3"));
  CHECK(::send(taken[1].socket.get(), "x", 1, 0) == 1);
  CHECK_FALSE(is_closed(second));
}

TEST_CASE("a busy executor does not fill the kernel's queue") {
  const test::TemporaryDirectory directory;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (directory.path() / "socket").string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  FileDescriptor listening = open_socket(AF_UNIX);
  REQUIRE(bind_to(listening, address) == 0);
  REQUIRE(::listen(listening.get(), 0) == 0);
  asio::io_context context;
  Taken taken;
  const AcceptThread acceptor(context.get_executor(), std::move(listening), 100, taken);
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(open_socket(AF_UNIX));
    REQUIRE(connect_to(clients.back(), address) == 0);  // waits for its place in the queue
  }
  while (taken.connections->size() < 100) context.run_one();
  CHECK(taken.connections->front().peer == Peer::of_process(::getpid()));
  CHECK_FALSE(taken.connections->front().address);
}

TEST_CASE("of too many that wait, the peer with most loses its oldest") {
  TcpBench bench(4);
  const auto honest = bench.connect("127.0.0.1");
  std::vector<FileDescriptor> many;
  for (int i = 0; i < 10; ++i) many.push_back(bench.connect("127.0.0.2"));
  for (int i = 0; i < 7; ++i) CHECK(is_closed(many[static_cast<std::size_t>(i)]));
  auto& taken = bench.take(4);
  CHECK(taken[0].peer == peer_at("127.0.0.1"));
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(taken[i].peer == peer_at("127.0.0.2"));
    CHECK(::send(taken[i].socket.get(), "x", 1, 0) == 1);
    CHECK_FALSE(is_closed(many[i + 6]));
  }
}

TEST_CASE("of peers with as many the one goes that has waited longest, whatever its address") {
  TcpBench bench(4);
  std::vector<FileDescriptor> clients;
  for (const char* from : {"127.0.0.9", "127.0.0.1", "127.0.0.5", "127.0.0.3", "127.0.0.2", "127.0.0.4"}) {
    clients.push_back(bench.connect(from));
  }
  CHECK(is_closed(clients[0]));
  CHECK(is_closed(clients[1]));
  auto& taken = bench.take(4);
  CHECK(taken[0].peer == peer_at("127.0.0.5"));
  CHECK(taken[3].peer == peer_at("127.0.0.4"));
}

TEST_CASE("connections of an address that many share wait instead") {
  TcpBench bench(2, [](const asio::ip::address& address) { return address == asio::ip::make_address("127.0.0.1"); });
  std::vector<FileDescriptor> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(bench.connect("127.0.0.1"));
  bench.take(10);
}

TEST_CASE("a thread that can't accept goes on later") {
  // UBSan opens a pipe when it meets a class for the first time: those of the logger and of a connection that was
  // accepted, before there are no descriptors.
  TcpBench bench(3);
  const FileDescriptor earlier = bench.connect("127.0.0.1");
  bench.take(1);
  base::log::info("no descriptors from here on");
  FileDescriptor first = open_socket(AF_INET);
  FileDescriptor second = open_socket(AF_INET);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  // An accept that waits already may have its descriptor: the second connection can't have one.
  const bool are_connected = connect_to(first, bench.address) == 0 && connect_to(second, bench.address) == 0;
  for (int handlers = 0; handlers < 3; ++handlers) bench.context.run_one();  // one connection, and warnings
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(are_connected);
  CHECK(bench.taken.connections->size() < 3);
  bench.take(3);
}

TEST_CASE("nothing is handed over once the object has gone, and what waits is closed") {
  TcpBench bench(2);
  const auto waiting = bench.connect("127.0.0.1");
  bench.acceptor.reset();
  CHECK(is_closed(waiting));
  CHECK(connect_to(open_socket(AF_INET), bench.address) != 0);
  bench.context.run();  // no work is left
  CHECK(bench.taken.connections->empty());
}
