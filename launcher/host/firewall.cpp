#include "launcher/host/firewall.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fcntl.h>

#include "base/error.h"
#include "base/log.h"

namespace launcher {

base::Awaitable<std::optional<base::FileDescriptor>> open_ports(std::filesystem::path socket,
                                                                std::vector<firewall::Port> ports,
                                                                base::Milliseconds bound) {
  const std::string wanted = to_string(ports);
  const bool are_any = !ports.empty();
  try {
    std::error_code code;
    const bool exists = std::filesystem::exists(socket, code);
    if (code) throw base::SystemError(socket.string(), code.value());
    if (!exists) {
      if (are_any) {
        base::log::warning("no port is opened, this machine has nobody who would",
                           {{"ports", wanted}, {"socket", socket.string()}});
      }
      co_return std::nullopt;
    }
    auto ask = [socket, bound, ports = std::move(ports)] { return firewall::request(socket, ports, bound); };
    auto too_late = [] { return base::Error("no answer of the firewall's helper"); };
    base::FileDescriptor connection = co_await base::run_on_own_thread(bound, std::move(ask), std::move(too_late));
    if (are_any) base::log::info("ports are open", {{"ports", wanted}});
    co_return connection;
  } catch (const base::Error& error) {
    throw error.in_context(are_any ? "failed to open the ports " + wanted
                                   : "failed to tell the firewall's helper that no ports are wanted");
  }
}

base::Awaitable<void> wait_for_helpers_end(const base::FileDescriptor& connection) {
  const int copy = ::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw base::SystemError("copying a descriptor", errno);
  asio::posix::stream_descriptor stream(co_await asio::this_coro::executor, copy);
  co_await stream.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace launcher
