#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/asio.h"
#include "base/file.h"
#include "firewall/port.h"

namespace launcher {

/// Has the firewall's helper open `ports`, which are open as long as what this returns: nothing where a machine has no
/// helper, which is said in the log. Throws Error.
base::Awaitable<std::optional<base::FileDescriptor>> open_ports(std::filesystem::path socket,
                                                                std::vector<firewall::Port> ports);

}  // namespace launcher
