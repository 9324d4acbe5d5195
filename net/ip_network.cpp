#include "net/ip_network.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/bytes.h"

namespace net {
namespace {

constexpr unsigned kBitsPerByte = 8;
constexpr std::size_t kMaxText = 64;

base::Bytes bytes_of(const asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

asio::ip::address plain_address(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

bool is_address(std::string_view text) {
  boost::system::error_code not_an_address;
  asio::ip::make_address(text, not_an_address);
  return !not_an_address;
}

bool is_loopback(std::string_view text) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(text, not_an_address);
  return !not_an_address && address.is_loopback();
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  const std::size_t slash = text.find('/');
  boost::system::error_code code;
  const auto address = asio::ip::make_address(std::string(text.substr(0, slash)), code);
  // Addresses are compared as what they are: in this form, one would match nobody.
  if (code || plain_address(address) != address) return std::nullopt;
  const auto all_bits = static_cast<unsigned>(bytes_of(address).size()) * kBitsPerByte;
  if (slash == std::string_view::npos) return IpNetwork(address, all_bits);
  const std::string_view length = text.substr(slash + 1);
  unsigned prefix_bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), prefix_bits);
  if (error != std::errc() || end != length.data() + length.size() || prefix_bits > all_bits) return std::nullopt;
  return IpNetwork(address, prefix_bits);
}

bool IpNetwork::contains(const asio::ip::address& address) const {
  const base::Bytes mine = bytes_of(address_);
  const base::Bytes theirs = bytes_of(plain_address(address));
  if (mine.size() != theirs.size()) return false;
  const std::size_t whole_bytes = prefix_bits_ / kBitsPerByte;
  if (!std::equal(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(whole_bytes), theirs.begin())) return false;
  const unsigned rest = prefix_bits_ % kBitsPerByte;
  return rest == 0 || mine[whole_bytes] >> (kBitsPerByte - rest) == theirs[whole_bytes] >> (kBitsPerByte - rest);
}

}  // namespace net
