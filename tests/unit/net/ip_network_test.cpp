#include "net/ip_network.h"

#include "tests/unit/catch.h"

using net::IpNetwork;

namespace {

bool contains(const char* network, const char* address) {
  const auto parsed = IpNetwork::parse(network);
  REQUIRE(parsed);
  return parsed->contains(asio::ip::make_address(address));
}

}  // namespace

TEST_CASE("a network holds the addresses with its prefix, and no others") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("10.1.2.128/25", "10.1.2.128"));
  CHECK_FALSE(contains("10.1.2.128/25", "10.1.2.127"));
  CHECK(contains("10.1.2.3/8", "10.200.0.0"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(contains("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(contains("192.0.2.1", "192.0.2.2"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(contains("192.0.2.0/24", "::ffff:192.0.2.7"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK_FALSE(contains("::/0", "192.0.2.1"));
}

TEST_CASE("what is no network is not taken for one") {
  for (const char* text : {"", "example.org", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0/8",
                           "/8", "2001:db8::/129", "10.0.0.0/8/8"}) {
    CAPTURE(text);
    CHECK_FALSE(IpNetwork::parse(text));
  }
}

TEST_CASE("what is an address") {
  for (const char* text : {"127.0.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:192.0.2.1"}) CHECK(net::is_address(text));
  for (const char* text : {"", "127.1", "example.org", "10.0.0.0/8", "[::1]", "1.2.3.4:5", " ::1"}) {
    CAPTURE(text);
    CHECK_FALSE(net::is_address(text));
  }
}

TEST_CASE("addresses of the machine itself") {
  for (const char* text : {"127.0.0.1", "127.255.255.255", "::1"}) CHECK(net::is_loopback(text));
  for (const char* text : {"", "127.1", "127.0.0.1.example.org", "128.0.0.1", "0.0.0.0", "::", "localhost", "::2"}) {
    CAPTURE(text);
    CHECK_FALSE(net::is_loopback(text));
  }
}
