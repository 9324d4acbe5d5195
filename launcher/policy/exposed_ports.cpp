#include "launcher/policy/exposed_ports.h"

#include <algorithm>

namespace launcher {

std::vector<firewall::Port> read_exposed_ports(const std::vector<std::string>& exposed, Problems& problems) {
  std::vector<firewall::Port> ports;
  for (const std::string& text : exposed) {
    problems.collect("EXPOSE", [&] { ports.push_back(firewall::parse_port(text)); });
  }
  std::ranges::sort(ports);
  const auto repeated = std::unique(ports.begin(), ports.end());
  ports.erase(repeated, ports.end());  // 80 and 80/tcp
  if (ports.size() > firewall::kMaxPorts) {
    problems.add("EXPOSE: more than " + std::to_string(firewall::kMaxPorts) + " ports");
  }
  return ports;
}

}  // namespace launcher
