#include "firewall/client.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "firewall/socket.h"

namespace firewall {
namespace {

base::FileDescriptor connect_to(const std::filesystem::path& path, std::chrono::milliseconds bound) {
  base::FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) throw base::SystemError("making a socket", errno);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.native().size() >= sizeof(address.sun_path)) throw base::InvalidInput(path.native(), "is too long");
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  set_bound(socket.get(), bound);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw base::SystemError(path.native(), errno);
  }
  return socket;
}

}  // namespace

base::FileDescriptor request(const std::filesystem::path& path, const std::vector<Port>& ports,
                             std::chrono::milliseconds bound) {
  base::FileDescriptor socket = connect_to(path, bound);
  send_message(socket.get(), to_string(ports));
  const std::optional<std::string> answer = receive_message(socket.get(), kMaxAnswerBytes);
  if (!answer) throw base::Error("the firewall's helper went away");
  if (*answer != kOpened) throw base::Error(*answer);
  return socket;
}

}  // namespace firewall
