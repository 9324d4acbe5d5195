#include "firewall/socket.h"

#include <cerrno>

#include <sys/socket.h>
#include <sys/time.h>

#include "base/error.h"

namespace firewall {

void set_bound(int socket, std::chrono::milliseconds bound) {
  const timeval time{.tv_sec = bound.count() / 1000, .tv_usec = bound.count() % 1000 * 1000};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(socket, SOL_SOCKET, option, &time, sizeof(time)) != 0) {
      throw base::SystemError("giving a socket a time-out", errno);
    }
  }
}

void send_message(int socket, std::string_view text) {
  if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) throw base::SystemError("sending a message", errno);
}

std::optional<std::string> receive_message(int socket, std::size_t max_bytes) {
  std::string text(max_bytes + 1, '\0');
  const ssize_t size = ::recv(socket, text.data(), text.size(), 0);
  if (size < 0 && errno == EAGAIN) throw base::Error("no message came in time");
  if (size < 0) throw base::SystemError("receiving a message", errno);
  if (size == 0) return std::nullopt;
  if (static_cast<std::size_t>(size) > max_bytes) throw base::Error("a message is too long");
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace firewall
