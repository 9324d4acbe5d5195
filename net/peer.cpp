#include "net/peer.h"

#include <cstddef>

#include "net/ip_network.h"

namespace net {

Peer Peer::of_address(const boost::asio::ip::address& address) {
  const auto plain = plain_address(address);
  if (plain.is_v4()) return {Kind::kIpv4, plain.to_v4().to_uint()};
  const auto bytes = plain.to_v6().to_bytes();
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < sizeof(network); ++i) network = network << 8U | bytes[i];
  return {Kind::kIpv6Network, network};
}

Peer Peer::of_process(pid_t process) { return {Kind::kProcess, static_cast<std::uint64_t>(process)}; }

}  // namespace net
