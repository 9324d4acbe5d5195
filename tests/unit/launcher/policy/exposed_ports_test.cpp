#include "launcher/policy/exposed_ports.h"

#include "tests/unit/catch.h"

namespace {

using firewall::Port;
using firewall::Protocol;
using launcher::Problems;
using launcher::read_exposed_ports;

}  // namespace

TEST_CASE("exposed ports are those of an image, each once") {
  Problems problems;
  const std::vector<Port> expected = {{Protocol::kTcp, 80}, {Protocol::kTcp, 443}, {Protocol::kUdp, 80}};
  CHECK(read_exposed_ports({"443/tcp", "80", "80/tcp", "80/udp"}, problems) == expected);
  CHECK(read_exposed_ports({}, problems).empty());
  CHECK(problems.empty());
}

TEST_CASE("all wrong ports of an image are told, and too many of them") {
  Problems problems;
  read_exposed_ports({"80/sctp", "99999/tcp", "1/2/3"}, problems);
  CHECK_THROWS_WITH(problems.throw_if_any(),
                    "EXPOSE: received unknown protocol: got sctp, expected tcp or udp; EXPOSE: received invalid port "
                    "number: got 99999, expected 1 to 65535; EXPOSE: failed to parse port and protocol: got [1/2/3], "
                    "expected [port]/[protocol] 80/tcp");
  std::vector<std::string> many;
  for (std::size_t port = 1; port <= firewall::kMaxPorts; ++port) many.push_back(std::to_string(port));
  Problems none;
  read_exposed_ports(many, none);
  CHECK(none.empty());
  many.push_back("60000");
  read_exposed_ports(many, none);
  CHECK_THROWS_WITH(none.throw_if_any(), "EXPOSE: more than 256 ports");
}
