#include "firewall/port.h"

#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"

using firewall::parse_list;
using firewall::parse_port;
using firewall::Port;
using firewall::Protocol;

TEST_CASE("a port has a number and a protocol, tcp unless said") {
  CHECK(parse_port("80/tcp") == Port{Protocol::kTcp, 80});
  CHECK(parse_port("53/udp") == Port{Protocol::kUdp, 53});
  CHECK(parse_port("80") == Port{Protocol::kTcp, 80});
  CHECK(parse_port("65535/tcp") == Port{Protocol::kTcp, 65535});
  CHECK(to_string(Port{Protocol::kUdp, 53}) == "53/udp");
}

TEST_CASE("what is no port is refused, with what is wrong with it") {
  const std::string_view invalid = "received invalid port number: got ";
  for (const char* text : {"", "0/tcp", "65536/tcp", "-1/tcp", "+80/tcp", "0x50/tcp", " 80/tcp", "80-90/tcp", "/tcp"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(parse_port(text), ContainsSubstring(std::string(invalid)));
  }
  for (const char* text : {"80/", "80/sctp", "80/TCP", "80/tcp "}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(parse_port(text), ContainsSubstring("received unknown protocol: got "));
  }
  CHECK_THROWS_WITH(parse_port("80/tcp/udp"),
                    "failed to parse port and protocol: got [80/tcp/udp], expected [port]/[protocol] 80/tcp");
  CHECK_THROWS_WITH(parse_port(std::string(10000, '8')),
                    ContainsSubstring(std::string(base::kMaxKeyInError, '8') + ", expected"));
}

TEST_CASE("a list of ports has an end") {
  const std::vector<Port> ports = {{Protocol::kTcp, 80}, {Protocol::kUdp, 53}};
  CHECK(parse_list("80/tcp 53/udp") == ports);
  CHECK(to_string(ports) == "80/tcp 53/udp");
  CHECK(parse_list("none").empty());
  CHECK(to_string(std::vector<Port>()) == "none");
  const std::vector<Port> many(firewall::kMaxPorts, {Protocol::kTcp, 65535});
  CHECK(parse_list(to_string(many)) == many);
  CHECK(to_string(many).size() <= firewall::kMaxListBytes);
  CHECK_THROWS_WITH(parse_list(to_string(many) + " 1/tcp"), "more than 256 ports");
  for (const char* text : {"", " ", "80/tcp ", " 80/tcp", "80/tcp  53/udp", "80/tcp\n53/udp"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_list(text), base::Error);
  }
}
