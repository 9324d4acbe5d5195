#pragma once

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

namespace test {

/// The socket on which systemd listens, and what it puts into the environment of a service.
class Systemd {
 public:
  explicit Systemd(const char* watchdog_usec = nullptr) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const std::string path = (folder_.path() / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    if (watchdog_usec == nullptr) return;
    ::setenv("WATCHDOG_USEC", watchdog_usec, 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  }
  Systemd(const Systemd&) = delete;
  Systemd& operator=(const Systemd&) = delete;
  ~Systemd() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  /// The next message; empty when there is none.
  std::string message() const {
    std::array<char, 1024> buffer{};
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(got));
  }

  /// The same, waited for.
  std::string next_message() const {
    pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, static_cast<int>(base::Milliseconds(kTestDeadline).count()));
    return message();
  }

 private:
  TemporaryDirectory folder_;
  base::FileDescriptor socket_;
};

}  // namespace test
