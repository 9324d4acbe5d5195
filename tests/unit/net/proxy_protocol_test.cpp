#include "net/proxy_protocol.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using base::Bytes;
using base::ByteView;

namespace {

const Bytes kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

Bytes start(std::uint8_t command, std::uint8_t family, std::size_t rest) {
  Bytes bytes = kSignature;
  bytes.insert(bytes.end(), {command, family, static_cast<std::uint8_t>(rest >> 8U), static_cast<std::uint8_t>(rest)});
  return bytes;
}

std::string source(std::uint8_t command, std::uint8_t family, const Bytes& rest) {
  const auto address = net::proxy_header_source(start(command, family, rest.size()), rest);
  return address ? address->to_string() : "none";
}

const Bytes kIpv4 = {192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 1, 0xbb};

Bytes ipv6() {
  Bytes rest(36);
  rest[0] = 0x20;
  rest[1] = 0x01;
  rest[15] = 9;
  return rest;
}

}  // namespace

TEST_CASE("a PROXY header tells the address that a connection comes from") {
  CHECK(source(0x21, 0x11, kIpv4) == "192.0.2.7");
  CHECK(source(0x21, 0x21, ipv6()) == "2001::9");
  Bytes with_extensions = kIpv4;
  with_extensions.insert(with_extensions.end(), {0x03, 0, 4, 1, 2, 3, 4});
  CHECK(source(0x21, 0x11, with_extensions) == "192.0.2.7");
}

TEST_CASE("a PROXY header without an address of IP tells none") {
  CHECK(source(0x20, 0x11, kIpv4) == "none");  // the proxy's own connection, such as a health check
  CHECK(source(0x20, 0x00, {}) == "none");
  CHECK(source(0x21, 0x00, {}) == "none");
  CHECK(source(0x21, 0x31, Bytes(216)) == "none");
}

TEST_CASE("what is no PROXY header of version 2 is refused") {
  CHECK_THROWS_AS(net::proxy_header_rest(base::to_bytes("PROXY TCP4 1.2.3")), base::InvalidInput);
  CHECK_THROWS_AS(net::proxy_header_rest(base::to_bytes("GET / HTTP/1.1\r\n")), base::InvalidInput);
  CHECK_THROWS_AS(net::proxy_header_rest(start(0x11, 0x11, 12)), base::InvalidInput);
  CHECK_THROWS_AS(net::proxy_header_rest(start(0x22, 0x11, 12)), base::InvalidInput);
  CHECK_THROWS_AS(net::proxy_header_rest(Bytes(15)), base::InvalidInput);
  CHECK_THROWS_AS(source(0x21, 0x11, Bytes(11)), base::InvalidInput);
  CHECK_THROWS_AS(source(0x21, 0x21, Bytes(35)), base::InvalidInput);
  CHECK_THROWS_AS(net::proxy_header_source(start(0x21, 0x11, 12), Bytes(13)), base::InvalidInput);
}

TEST_CASE("the length of a PROXY header is limited") {
  CHECK(net::proxy_header_rest(start(0x21, 0x11, net::kMaxProxyHeaderRest)) == net::kMaxProxyHeaderRest);
  CHECK_THROWS_WITH(net::proxy_header_rest(start(0x21, 0x11, net::kMaxProxyHeaderRest + 1)),
                    "PROXY header: is too long");
}
