#pragma once

#include <cstddef>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "base/asio.h"
#include "base/timer.h"

namespace net {

/// Connection Attempt Delay (RFC 8305, section 5).
inline constexpr base::Milliseconds kAttemptDelay{250};
/// So many addresses of a host are tried, of however many a name server tells.
inline constexpr std::size_t kMaxAddresses = 16;

/// In the order in which they are tried (RFC 8305, section 4): as they came, but IPv6 and IPv4 by turns.
std::vector<asio::ip::tcp::endpoint> by_turns(const std::vector<asio::ip::tcp::endpoint>& endpoints);

struct Connected {
  asio::ip::tcp::socket socket;
  boost::system::error_code code;  ///< why there is no connection: the first failure, or timed_out
};

/// Connects to the first that answers (RFC 8305, section 5): another one is tried each time that kAttemptDelay has
/// passed or an attempt has failed, so that an address that swallows everything holds up nobody. Gives up at `end`.
base::Awaitable<Connected> connect_any(std::vector<asio::ip::tcp::endpoint> endpoints, base::TimePoint end);

}  // namespace net
