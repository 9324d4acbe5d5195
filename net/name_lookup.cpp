#include "net/name_lookup.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include <netdb.h>

#include "base/error.h"
#include "net/http_client.h"

namespace net {
namespace {

using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

Endpoints ask_c_library(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (code == EAI_SYSTEM)
    throw HttpError(HttpError::Kind::kConnect, base::SystemError("looking up " + host, errno).what());
  if (code != 0) throw HttpError(HttpError::Kind::kConnect, "looking up " + host + ": " + ::gai_strerror(code));
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  Endpoints endpoints;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

std::uint16_t port_number(const std::string& port) {
  std::uint16_t number = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (code != std::errc() || end != port.data() + port.size()) {
    throw HttpError(HttpError::Kind::kConnect, port + " is no port");
  }
  return number;
}

/// A place among kMaxLookups, held by the thread.
class Place {
 public:
  Place() {
    if (taken_.fetch_add(1) < kMaxLookups) return;
    taken_.fetch_sub(1);
    throw HttpError(HttpError::Kind::kConnect,
                    "looking up a name: " + std::to_string(kMaxLookups) + " look-ups have no answer yet");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { taken_.fetch_sub(1); }

 private:
  static inline std::atomic<std::size_t> taken_{0};
};

}  // namespace

base::Awaitable<std::vector<tcp::endpoint>> look_up(std::string host, std::string port, base::Milliseconds patience) {
  boost::system::error_code is_name;
  const auto address = asio::ip::make_address(host, is_name);
  if (!is_name) co_return Endpoints{{address, port_number(port)}};
  auto work = [host, port, place = std::make_shared<Place>()] { return ask_c_library(host, port); };
  auto too_long = [host] { return HttpError(HttpError::Kind::kTimeout, "looking up " + host + " took too long"); };
  try {
    co_return co_await base::run_on_own_thread(patience, std::move(work), std::move(too_long));
  } catch (const std::system_error& error) {
    throw HttpError(HttpError::Kind::kConnect, "looking up " + host + ": " + error.what());
  }
}

}  // namespace net
