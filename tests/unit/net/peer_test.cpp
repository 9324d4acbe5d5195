#include "net/peer.h"

#include "tests/unit/catch.h"

using net::Peer;

namespace {

Peer peer(const char* address) { return Peer::of_address(boost::asio::ip::make_address(address)); }

}  // namespace

TEST_CASE("a peer is an IPv4 address or the /64 of an IPv6 address") {
  CHECK(peer("192.0.2.1") == peer("::ffff:192.0.2.1"));
  CHECK(peer("192.0.2.1") != peer("192.0.2.2"));
  CHECK(peer("2001:db8:0:1::1") == peer("2001:db8:0:1:ffff::2"));
  CHECK(peer("2001:db8:0:1::1") != peer("2001:db8:0:2::1"));
}

TEST_CASE("a process is no address, and nobody is who is not known") {
  CHECK(Peer::of_process(7) == Peer::of_process(7));
  CHECK(Peer::of_process(7) != Peer::of_process(8));
  CHECK(Peer::of_process(7) != peer("0.0.0.7"));
  CHECK(Peer() == Peer());
  CHECK(Peer() != peer("0.0.0.0"));
}
