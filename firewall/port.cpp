#include "firewall/port.h"

#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "base/parse_number.h"

namespace firewall {
namespace {

using base::Error;

std::string shown(std::string_view text) { return std::string(base::shown_key(text)); }

Protocol parse_protocol(std::string_view name) {
  if (name == "tcp") return Protocol::kTcp;
  if (name == "udp") return Protocol::kUdp;
  throw Error("received unknown protocol: got " + shown(name) + ", expected tcp or udp");
}

}  // namespace

Port parse_port(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && text.find('/', slash + 1) != std::string_view::npos) {
    throw Error("failed to parse port and protocol: got [" + shown(text) + "], expected [port]/[protocol] 80/tcp");
  }
  const auto number = base::parse_number(text.substr(0, slash));
  if (!number || *number == 0 || *number > std::numeric_limits<std::uint16_t>::max()) {
    throw Error("received invalid port number: got " + shown(text.substr(0, slash)) + ", expected 1 to 65535");
  }
  const Protocol protocol = slash == std::string_view::npos ? Protocol::kTcp : parse_protocol(text.substr(slash + 1));
  return {protocol, static_cast<std::uint16_t>(*number)};
}

std::string to_string(Port port) {
  return std::to_string(port.number) + (port.protocol == Protocol::kTcp ? "/tcp" : "/udp");
}

std::vector<Port> parse_list(std::string_view text) {
  std::vector<Port> ports;
  if (text == kNoPorts) return ports;
  for (;;) {
    if (ports.size() == kMaxPorts) throw Error("more than " + std::to_string(kMaxPorts) + " ports");
    const std::size_t blank = text.find(' ');
    ports.push_back(parse_port(text.substr(0, blank)));
    if (blank == std::string_view::npos) return ports;
    text.remove_prefix(blank + 1);
  }
}

std::string to_string(const std::vector<Port>& ports) {
  if (ports.empty()) return std::string(kNoPorts);
  std::string text;
  for (const Port port : ports) text += (text.empty() ? "" : " ") + to_string(port);
  return text;
}

}  // namespace firewall
