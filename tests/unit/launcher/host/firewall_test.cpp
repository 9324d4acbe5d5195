#include "launcher/host/firewall.h"

#include <fstream>

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

TEST_CASE("a helper that does not answer ends the launch") {
  const base::PrivateDirectory directory("cs-test");
  asio::io_context context;
  std::ofstream(directory.path() / "socket");
  CHECK_THROWS_WITH(test::run(context, launcher::open_ports(directory.path() / "socket", kPorts)),
                    ContainsSubstring("failed to open the ports 80/tcp: "));
}
