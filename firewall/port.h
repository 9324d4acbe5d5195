#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace firewall {

/// Of one machine: a set of the ruleset holds them all.
inline constexpr std::size_t kMaxPorts = 256;
/// Of a list of so many: "65535/tcp" and a blank.
inline constexpr std::size_t kMaxListBytes = kMaxPorts * 10;

/// Their numbers in IP headers (IANA, "Protocol Numbers").
enum class Protocol : std::uint8_t { kTcp = 6, kUdp = 17 };

/// A port on which a machine may be called.
struct Port {
  Protocol protocol;
  std::uint16_t number;

  auto operator<=>(const Port&) const = default;
};

/// "80/tcp", "53/udp", or "80", which is tcp: a key of ExposedPorts (OCI image specification, "config.md"). Throws
/// Error.
Port parse_port(std::string_view text);
std::string to_string(Port port);

/// What stands for a list of no ports.
inline constexpr std::string_view kNoPorts = "none";

/// Ports with a blank between, or kNoPorts. Throws Error when one is none, when there are more than kMaxPorts, and for
/// an empty text.
std::vector<Port> parse_list(std::string_view text);
std::string to_string(const std::vector<Port>& ports);

}  // namespace firewall
