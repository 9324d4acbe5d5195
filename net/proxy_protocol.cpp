#include "net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"

namespace net {
namespace {

constexpr auto kField = "PROXY header";
constexpr std::array<std::uint8_t, 12> kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                     0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::uint8_t kLocal = 0x20;    // version 2: the proxy speaks for itself
constexpr std::uint8_t kProxied = 0x21;  // version 2: for somebody else
constexpr std::uint8_t kTcpOverIpv4 = 0x11;
constexpr std::uint8_t kTcpOverIpv6 = 0x21;
constexpr std::size_t kPortsSize = 4;

/// Source address, destination address, and both ports.
template <typename Address>
boost::asio::ip::address source_of(base::ByteView rest) {
  typename Address::bytes_type source{};
  if (rest.size() < 2 * source.size() + kPortsSize) throw base::InvalidInput(kField, "its addresses are cut off");
  std::copy_n(rest.begin(), source.size(), source.begin());
  return Address(source);
}

}  // namespace

std::size_t proxy_header_rest(base::ByteView start) {
  if (start.size() != kProxyHeaderStart || !std::ranges::equal(start.first(kSignature.size()), kSignature)) {
    throw base::InvalidInput(kField, "is missing");
  }
  base::ByteReader reader(start.subspan(kSignature.size()), kField);
  const std::uint8_t command = reader.u8("version and command");
  if (command != kLocal && command != kProxied) throw base::InvalidInput(kField, "is neither of version 2's commands");
  reader.u8("family");
  const auto high = reader.u8("length");
  const std::size_t rest = static_cast<std::size_t>(high) << 8U | reader.u8("length");
  if (rest > kMaxProxyHeaderRest) throw base::InvalidInput(kField, "is too long");
  return rest;
}

std::optional<boost::asio::ip::address> proxy_header_source(base::ByteView start, base::ByteView rest) {
  if (rest.size() != proxy_header_rest(start)) throw base::InvalidInput(kField, "is cut off");
  if (start[kSignature.size()] == kLocal) return std::nullopt;
  switch (start[kSignature.size() + 1]) {
    case kTcpOverIpv4: return source_of<boost::asio::ip::address_v4>(rest);
    case kTcpOverIpv6: return source_of<boost::asio::ip::address_v6>(rest);
    default: return std::nullopt;
  }
}

}  // namespace net
