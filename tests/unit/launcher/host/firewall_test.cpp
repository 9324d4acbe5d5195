#include "launcher/host/firewall.h"

#include <array>
#include <filesystem>
#include <fstream>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

namespace {

const std::vector<firewall::Port> kPorts = {{firewall::Protocol::kTcp, 80}};

}  // namespace

// A helper that opens ports is in tests/unit/firewall/server_test.cpp and tests/integration/test_firewall.py.

TEST_CASE("a machine without a firewall's helper is left as it is") {
  const base::PrivateDirectory directory("cs-test");
  asio::io_context context;
  CHECK_FALSE(test::run(context, launcher::open_ports(directory.path() / "socket", kPorts)));
}

TEST_CASE("what is no helper ends the launch") {
  const base::PrivateDirectory directory("cs-test");
  asio::io_context context;
  SECTION("a file") { std::ofstream(directory.path() / "socket"); }
  SECTION("a link to itself") { std::filesystem::create_symlink("socket", directory.path() / "socket"); }
  CHECK_THROWS_WITH(test::run(context, launcher::open_ports(directory.path() / "socket", kPorts)),
                    StartsWith("failed to open the ports 80/tcp: "));
  CHECK_THROWS_WITH(test::run(context, launcher::open_ports(directory.path() / "socket", {})),
                    StartsWith("failed to tell the firewall's helper that no ports are wanted: "));
}

namespace {

/// A socket where somebody listens.
struct Listener {
  base::PrivateDirectory directory{"cs-test"};
  std::filesystem::path path = directory.path() / "socket";
  base::FileDescriptor socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};

  Listener() {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.native().copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(socket.get(), 1) == 0);
  }
};

}  // namespace

TEST_CASE("a helper that does not answer in time ends the launch") {
  const Listener listener;
  asio::io_context context;
  CHECK_THROWS_WITH(test::run(context, launcher::open_ports(listener.path, kPorts, base::Milliseconds(50))),
                    StartsWith("failed to open the ports 80/tcp: no "));
}

TEST_CASE("that a helper has gone is noticed") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const base::FileDescriptor connection(ends[0]);
  base::FileDescriptor helper(ends[1]);
  asio::io_context context;
  bool has_gone = false;
  asio::co_spawn(context, launcher::wait_for_helpers_end(connection),
                 [&](const std::exception_ptr&) { has_gone = true; });
  context.poll();
  CHECK_FALSE(has_gone);
  helper = base::FileDescriptor();
  context.run();
  CHECK(has_gone);
}
