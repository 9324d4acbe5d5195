#include "launcher/host/network.h"

#include <cerrno>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>

#include "base/asio.h"
#include "base/error.h"
#include "base/file.h"

namespace launcher {
namespace {

// A datagram socket that is connected has sent nothing: the kernel has only looked for a route.
constexpr std::uint16_t kAnyPort = 80;

std::optional<std::string> why_no_route_to(const asio::ip::address& address) {
  const asio::ip::udp::endpoint peer(address, kAnyPort);
  const base::FileDescriptor socket(::socket(peer.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) throw base::SystemError("making a socket", errno);
  if (::connect(socket.get(), peer.data(), static_cast<socklen_t>(peer.size())) == 0) return std::nullopt;
  return "no route to " + address.to_string() + ": " + std::generic_category().message(errno);
}

bool reaches_beyond_its_link(const ifaddrs& entry) {
  constexpr unsigned kWanted = IFF_UP | IFF_RUNNING;
  if ((entry.ifa_flags & kWanted) != kWanted || (entry.ifa_flags & IFF_LOOPBACK) != 0) return false;
  if (entry.ifa_addr == nullptr) return false;
  if (entry.ifa_addr->sa_family == AF_INET) return true;
  if (entry.ifa_addr->sa_family != AF_INET6) return false;
  const auto* address = reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr);
  return !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
}

bool some_interface_is_up() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) throw base::SystemError("listing the network interfaces", errno);
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> interfaces(first, &::freeifaddrs);
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (reaches_beyond_its_link(*entry)) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> why_unroutable(const std::string& host) {
  boost::system::error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) return why_no_route_to(address);
  if (some_interface_is_up()) return std::nullopt;
  return "no network interface is up with an address";
}

}  // namespace launcher
