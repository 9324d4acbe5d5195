#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "firewall/port.h"

namespace firewall {

/// How long a client that may ask has for its request.
inline constexpr int kRequestSeconds = 5;

struct ServerParts {
  uid_t client;                ///< the only user who is heard
  std::filesystem::path mark;  ///< made when the request of this boot was granted
  std::function<void(const std::vector<Port>&)> open;
  std::function<void()> close_all;
};

/// Waits at `listener` for a client who may ask, opens what he asks for, and closes it when he has gone. Others are
/// told why not, and cost him nothing but their turn: each has one message, for which it is waited kRequestSeconds at
/// most. Throws Error when a port can't be opened or closed, and for a `listener` that is none.
void serve(int listener, const ServerParts& parts);

}  // namespace firewall
