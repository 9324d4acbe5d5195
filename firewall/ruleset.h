#pragma once

#include <string>
#include <vector>

#include "firewall/port.h"

namespace firewall {

/// The machine's ruleset has this set, of which its input chain lets in what is meant (nftables.conf of the image):
///
///   table inet filter {
///     set exposed_ports { type inet_proto . inet_service; }
///     chain input { ... meta l4proto . th dport @exposed_ports accept }
///   }
///
/// An accepting rule in a table of one's own would change nothing: a packet goes through all tables, and the one that
/// drops it has the last word (nft(8), "verdict statement").
inline constexpr const char* kSet = "inet filter exposed_ports";

/// What nft(8) would be told.
std::string command_to_open(const std::vector<Port>& ports);

/// Both need CAP_NET_ADMIN, and throw Error with what nftables says.
void open(const std::vector<Port>& ports);
void close_all();

}  // namespace firewall
