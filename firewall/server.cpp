#include "firewall/server.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "firewall/client.h"
#include "firewall/socket.h"

namespace firewall {
namespace {

using base::Error;
using base::FileDescriptor;

FileDescriptor accept_one(int listener) {
  for (;;) {
    FileDescriptor connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0) return connection;
    if (errno != EINTR && errno != ECONNABORTED) throw base::SystemError("waiting for a request", errno);
  }
}

uid_t user_of(const FileDescriptor& connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    throw base::SystemError("asking who is there", errno);
  }
  return peer.uid;
}

/// A workload is launched once a boot, and so are its ports opened once: whoever takes the launcher over later finds
/// the door closed.
void leave_mark(const std::filesystem::path& mark) {
  const FileDescriptor file(::open(mark.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0400));
  if (file.get() >= 0) return;
  if (errno == EEXIST) throw Error("ports have been opened once since this machine was started");
  throw base::SystemError(mark.native(), errno);
}

/// The ports that are to be opened; nothing when the client went away without a word.
std::optional<std::vector<Port>> read_request(const FileDescriptor& connection, const ServerParts& parts) {
  set_bound(connection.get(), parts.patience);
  // Whoever closes with something unread takes his own answer back.
  const std::optional<std::string> request = receive_message(connection.get(), kMaxListBytes);
  if (!request) return std::nullopt;
  if (user_of(connection) != parts.client) throw Error("ports are opened for the launcher only");
  std::vector<Port> ports = parse_list(*request);
  leave_mark(parts.mark);
  return ports;
}

void refuse(const FileDescriptor& connection, const std::string& reason) {
  base::log::warning("a request is refused", {{"reason", reason}});
  try {
    send_message(connection.get(), std::string_view(reason).substr(0, kMaxAnswerBytes));
  } catch (const base::SystemError&) {
    // Who asks in vain and does not listen has missed nothing.
  }
}

/// Whatever he still says, until he goes.
void wait_for_end(const FileDescriptor& connection) {
  set_bound(connection.get(), std::chrono::milliseconds(0));
  for (;;) {
    std::array<char, 64> ignored{};
    const ssize_t size = ::recv(connection.get(), ignored.data(), ignored.size(), 0);
    if (size == 0 || (size < 0 && errno != EINTR)) return;
  }
}

}  // namespace

void serve(int listener, const ServerParts& parts) {
  for (;;) {
    const FileDescriptor connection = accept_one(listener);
    std::optional<std::vector<Port>> ports;
    try {
      ports = read_request(connection, parts);
    } catch (const Error& error) {
      refuse(connection, error.what());
    }
    if (!ports) continue;
    try {
      if (!ports->empty()) parts.open(*ports);
    } catch (const Error& error) {
      refuse(connection, error.what());
      throw;
    }
    base::log::info("ports are open", {{"ports", to_string(*ports)}});
    try {
      send_message(connection.get(), kOpened);
    } catch (const base::SystemError&) {
      // He has gone already.
    }
    if (ports->empty()) return;
    wait_for_end(connection);
    parts.close_all();
    base::log::info("ports are closed");
    return;
  }
}

}  // namespace firewall
