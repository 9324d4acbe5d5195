#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "firewall/port.h"

namespace firewall {

/// For each of a request's two steps: to be let in, and to be answered.
inline constexpr std::chrono::milliseconds kRequestBound{10000};
/// Of what the helper answers.
inline constexpr std::size_t kMaxAnswerBytes = 1024;
/// What it answers when the ports are open.
inline constexpr std::string_view kOpened = "open";

/// Has the helper that listens on `socket` open `ports`, which may be none: it is asked once a boot. They are open as
/// long as the connection is. Throws Error with what the helper says, SystemError when it can't be talked to. Blocks,
/// in each step for `bound` at most.
base::FileDescriptor request(const std::filesystem::path& socket, const std::vector<Port>& ports,
                             std::chrono::milliseconds bound = kRequestBound);

}  // namespace firewall
