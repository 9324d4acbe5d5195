#pragma once

#include <optional>
#include <string>

namespace launcher {

/// Why nothing can be sent to `host` (a name or an address, without a port) for now; nothing when something can. Of an
/// address it is the kernel that says whether there is a route. Of a name it is not known before it has been looked up:
/// then an interface that is up, with an address for more than its own link, will do. Sends nothing, and never blocks.
std::optional<std::string> why_unroutable(const std::string& host);

}  // namespace launcher
