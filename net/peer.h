#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <boost/asio/ip/address.hpp>
#include <sys/types.h>

namespace net {

/// Who counts as one where connections share something scarce: an IPv4 address; the /64 of an IPv6 address, as that is
/// what one customer of a network gets; a process on this machine.
class Peer {
 public:
  Peer() = default;  ///< all who can't be told apart
  static Peer of_address(const boost::asio::ip::address& address);
  static Peer of_process(pid_t process);

  // The check takes the 0 with which a rewritten comparison compares for a pointer.
  friend auto operator<=>(const Peer&, const Peer&) = default;  // NOLINT(modernize-use-nullptr)

 private:
  enum class Kind : std::uint8_t { kUnknown, kIpv4, kIpv6Network, kProcess };

  Peer(Kind kind, std::uint64_t number) : kind_(kind), number_(number) {}

  Kind kind_ = Kind::kUnknown;
  std::uint64_t number_ = 0;
};

}  // namespace net
