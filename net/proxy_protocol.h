#pragma once

#include <cstddef>
#include <optional>

#include <boost/asio/ip/address.hpp>

#include "base/bytes.h"

namespace net {

// The header with which a proxy tells whose connection it hands on: version 2 of the PROXY protocol (HAProxy,
// proxy-protocol.txt, section 2.2). A fixed part says how many bytes of addresses and other information follow.

inline constexpr std::size_t kProxyHeaderStart = 16;  ///< length of the fixed part
/// Of what follows: addresses and the extensions that load balancers add.
inline constexpr std::size_t kMaxProxyHeaderRest = 2048;

/// How many bytes follow the fixed part, which `start` is. Throws InvalidInput when it is none, or more follow than are
/// accepted.
std::size_t proxy_header_rest(base::ByteView start);

/// The address that the connection comes from. Nothing when it is the proxy's own, or none of IP. Throws InvalidInput.
std::optional<boost::asio::ip::address> proxy_header_source(base::ByteView start, base::ByteView rest);

}  // namespace net
