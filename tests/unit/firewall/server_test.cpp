#include "firewall/server.h"

#include <filesystem>
#include <future>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "firewall/client.h"
#include "firewall/socket.h"
#include "tests/unit/catch.h"

namespace {

using firewall::Port;
using firewall::Protocol;

const std::vector<Port> kPorts = {{Protocol::kTcp, 80}, {Protocol::kUdp, 53}};

/// A helper that opens nothing and remembers what it was to open.
struct Helper {
  base::PrivateDirectory directory{"cs-test"};
  std::filesystem::path socket = directory.path() / "socket";
  base::FileDescriptor listener;
  std::vector<Port> open;
  std::string failure;
  firewall::ServerParts parts;

  Helper() {
    listener = base::FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = this->address();
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener.get(), 4) == 0);
    parts = {.client = ::getuid(),
             .mark = directory.path() / "mark",
             .open =
                 [this](const std::vector<Port>& ports) {
                   if (!failure.empty()) throw base::Error(failure);
                   open = ports;
                 },
             .close_all = [this] { open.clear(); }};
  }

  /// Serves on a thread of its own.
  std::future<void> serve() {
    return std::async(std::launch::async, [this] { firewall::serve(listener.get(), parts); });
  }

  base::FileDescriptor connect() const {
    base::FileDescriptor client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = this->address();
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    return client;
  }

  /// A request of whatever text, and its answer.
  std::string ask(const std::string& text) const {
    const base::FileDescriptor client = connect();
    firewall::send_message(client.get(), text);
    return firewall::receive_message(client.get(), firewall::kMaxAnswerBytes).value_or("");
  }

  sockaddr_un address() const {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socket.native().copy(address.sun_path, sizeof(address.sun_path) - 1);
    return address;
  }
};

}  // namespace

TEST_CASE("ports are open as long as the one who asked for them is there") {
  Helper helper;
  std::future<void> served = helper.serve();
  {
    const base::FileDescriptor connection = firewall::request(helper.socket, kPorts);
    CHECK(helper.open == kPorts);
    // What else he says counts for nothing.
    firewall::send_message(connection.get(), "22/tcp");
  }
  served.get();
  CHECK(helper.open.empty());
}

TEST_CASE("who asks wrongly is told why, and the next one is heard") {
  Helper helper;
  std::future<void> served = helper.serve();
  CHECK(helper.ask("80/sctp") == "received unknown protocol: got sctp, expected tcp or udp");
  CHECK(helper.ask(std::string(firewall::kMaxListBytes + 1, '8')) == "a message is too long");
  { const base::FileDescriptor silent = helper.connect(); }
  CHECK(helper.ask("80/tcp") == firewall::kOpened);
  served.get();
}

TEST_CASE("a client that says nothing costs the next one no more than his patience") {
  Helper helper;
  helper.parts.patience = std::chrono::milliseconds(50);
  std::future<void> served = helper.serve();
  const base::FileDescriptor silent = helper.connect();
  CHECK(helper.ask("80/tcp") == firewall::kOpened);
  CHECK(firewall::receive_message(silent.get(), firewall::kMaxAnswerBytes) == "no message came in time");
  served.get();
}

TEST_CASE("a helper that does not answer is waited for within a bound") {
  Helper helper;  // it listens, but does not serve
  CHECK_THROWS_WITH(firewall::request(helper.socket, kPorts, std::chrono::milliseconds(50)), "no message came in time");
}

TEST_CASE("whoever asks for no ports has asked, too") {
  Helper helper;
  helper.failure = "nothing is to be opened";
  std::future<void> served = helper.serve();
  { const base::FileDescriptor connection = firewall::request(helper.socket, {}); }
  served.get();
  std::future<void> second = helper.serve();
  CHECK_THROWS_WITH(firewall::request(helper.socket, kPorts),
                    "ports have been opened once since this machine was started");
  ::shutdown(helper.listener.get(), SHUT_RDWR);
  CHECK_THROWS_AS(second.get(), base::SystemError);
}

TEST_CASE("ports are opened once a boot") {
  Helper helper;
  std::future<void> first = helper.serve();
  { const base::FileDescriptor connection = firewall::request(helper.socket, kPorts); }
  first.get();
  std::future<void> second = helper.serve();
  CHECK_THROWS_WITH(firewall::request(helper.socket, kPorts),
                    "ports have been opened once since this machine was started");
  CHECK(helper.open.empty());
  std::filesystem::remove(helper.parts.mark);
  CHECK(helper.ask("80/tcp") == firewall::kOpened);
  second.get();
}

TEST_CASE("nobody but one user is heard") {
  Helper helper;
  helper.parts.client = ::getuid() + 1;
  std::future<void> served = helper.serve();
  CHECK_THROWS_WITH(firewall::request(helper.socket, kPorts), "ports are opened for the launcher only");
  CHECK_FALSE(std::filesystem::exists(helper.parts.mark));
  ::shutdown(helper.listener.get(), SHUT_RDWR);
  CHECK_THROWS_AS(served.get(), base::SystemError);
}

TEST_CASE("a firewall that refuses is an error for both") {
  Helper helper;
  helper.failure = "nftables: no such set";
  std::future<void> served = helper.serve();
  CHECK_THROWS_WITH(firewall::request(helper.socket, kPorts), "nftables: no such set");
  CHECK_THROWS_WITH(served.get(), "nftables: no such set");
}
