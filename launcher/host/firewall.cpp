#include "launcher/host/firewall.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "firewall/client.h"

namespace launcher {

base::Awaitable<std::optional<base::FileDescriptor>> open_ports(std::filesystem::path socket,
                                                                std::vector<firewall::Port> ports) {
  const std::string wanted = to_string(ports);
  if (!std::filesystem::exists(socket)) {
    base::log::warning("no port is opened, this machine has nobody who would",
                       {{"ports", wanted}, {"socket", socket.string()}});
    co_return std::nullopt;
  }
  try {
    auto ask = [socket, ports = std::move(ports)] { return firewall::request(socket, ports); };
    auto too_late = [] { return base::Error("no answer of the firewall's helper"); };
    base::FileDescriptor connection =
        co_await base::run_on_own_thread(firewall::kRequestBound, std::move(ask), std::move(too_late));
    base::log::info("ports are open", {{"ports", wanted}});
    co_return connection;
  } catch (const base::Error& error) {
    throw error.in_context("failed to open the ports " + wanted);
  }
}

}  // namespace launcher
