#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace launcher {

/// A set of Linux capabilities, a bit each (capabilities(7); include/uapi/linux/capability.h).
using CapabilitySet = std::uint64_t;

/// The number of CAP_X; nothing for a name that there is not.
std::optional<unsigned> capability_number(std::string_view name);

CapabilitySet capability_set(const std::vector<std::string>& names);

/// "0000003fffffffff", as CapBnd stands in /proc/PID/status; nothing for another text.
std::optional<CapabilitySet> parse_capability_set(std::string_view hex);

}  // namespace launcher
