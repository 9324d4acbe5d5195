#pragma once

#include <string>
#include <vector>

#include "firewall/port.h"
#include "launcher/spec/problems.h"

namespace launcher {

/// The ports of an image's ExposedPorts. What is none, and more than firewall::kMaxPorts, is a problem.
std::vector<firewall::Port> read_exposed_ports(const std::vector<std::string>& exposed, Problems& problems);

}  // namespace launcher
