#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "firewall/port.h"

namespace firewall {

/// How long a client has for its request. Well below what the launcher waits for its answer (kRequestBound): others may
/// stand before it.
inline constexpr std::chrono::milliseconds kClientPatience{1000};

struct ServerParts {
  uid_t client;                ///< the only user who is heard
  std::filesystem::path mark;  ///< made when the request of this boot was granted
  std::function<void(const std::vector<Port>&)> open;
  std::function<void()> close_all;
  std::chrono::milliseconds patience = kClientPatience;
};

/// Waits at `listener` for a client who may ask, opens what he asks for, and closes it when he has gone; of one who
/// asks for nothing it only leaves the mark. Others are told why not, and cost him nothing but their turn: each has one
/// message, for which it is waited for `patience`. Throws Error when a port can't be opened or closed, and for a
/// `listener` that is none.
void serve(int listener, const ServerParts& parts);

}  // namespace firewall
