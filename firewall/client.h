#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "firewall/port.h"

namespace firewall {

/// The longest that a request takes.
inline constexpr std::chrono::seconds kRequestBound{10};
/// Of what the helper answers.
inline constexpr std::size_t kMaxAnswerBytes = 1024;
/// What it answers when the ports are open.
inline constexpr std::string_view kOpened = "open";

/// Has the helper that listens on `socket` open `ports`. They are open as long as the connection is. Throws Error with
/// what the helper says, SystemError when it can't be talked to. Blocks, for kRequestBound at most.
base::FileDescriptor request(const std::filesystem::path& socket, const std::vector<Port>& ports);

}  // namespace firewall
