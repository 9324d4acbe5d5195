#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "base/asio.h"

namespace net {

/// IPv4 addresses that are written in IPv6's form (::ffff:192.0.2.1) as what they are.
asio::ip::address plain_address(const asio::ip::address& address);

bool is_address(std::string_view text);

/// Whether `text` is an address of this machine's own: 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view text);

/// A range of addresses: 10.0.0.0/8, 2001:db8::/32, or one address.
class IpNetwork {
 public:
  /// Nothing when `text` is no network. Bits behind the prefix do not count.
  static std::optional<IpNetwork> parse(std::string_view text);

  bool contains(const asio::ip::address& address) const;

  bool operator==(const IpNetwork&) const = default;

 private:
  IpNetwork(asio::ip::address address, unsigned prefix_bits)
      : address_(std::move(address)), prefix_bits_(prefix_bits) {}

  asio::ip::address address_;
  unsigned prefix_bits_;
};

}  // namespace net
