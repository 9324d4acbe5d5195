#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/asio.h"

namespace net {

/// How many look-ups may be under way at once, those included that nobody waits for any more.
inline constexpr std::size_t kMaxLookups = 16;

/// The addresses of a host, in the order in which they are to be tried (getaddrinfo(3)); `port` is a number. Throws
/// HttpError, kTimeout after `patience`.
///
/// The C library can't be interrupted, and waits for some name servers for ever. Each look-up therefore has a thread of
/// its own, which is left behind when the caller goes on.
base::Awaitable<std::vector<asio::ip::tcp::endpoint>> look_up(std::string host, std::string port,
                                                              base::Milliseconds patience);

}  // namespace net
