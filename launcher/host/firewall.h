#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/asio.h"
#include "base/file.h"
#include "firewall/client.h"
#include "firewall/port.h"

namespace launcher {

/// Has the firewall's helper open `ports`, which are open as long as what this returns: nothing where a machine has no
/// helper, which is said in the log. It is asked for none, too, as it hears one request a boot. Throws Error.
base::Awaitable<std::optional<base::FileDescriptor>> open_ports(std::filesystem::path socket,
                                                                std::vector<firewall::Port> ports,
                                                                base::Milliseconds bound = firewall::kRequestBound);

/// Returns when the helper has gone, and the ports are closed although `connection` is there.
base::Awaitable<void> wait_for_helpers_end(const base::FileDescriptor& connection);

}  // namespace launcher
