#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace firewall {

// Messages on a Unix socket that keeps their borders (unix(7), SOCK_SEQPACKET). All throw SystemError.

/// Has each single call below wait for `bound` at most; 0 is for ever.
void set_bound(int socket, std::chrono::milliseconds bound);
void send_message(int socket, std::string_view text);
/// Nothing when the other side has closed. Throws Error for a message that is longer than `max_bytes`, and when none
/// comes in time.
std::optional<std::string> receive_message(int socket, std::size_t max_bytes);

}  // namespace firewall
