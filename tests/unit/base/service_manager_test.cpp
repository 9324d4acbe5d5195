#include "base/service_manager.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using base::Milliseconds;
using base::ServiceManager;

namespace {

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

 private:
  test::TemporaryDirectory folder_;
  base::FileDescriptor socket_;
};

}  // namespace

TEST_CASE("the service manager is told what the program does") {
  const Systemd systemd;
  asio::io_context context;
  const ServiceManager manager(context.get_executor());
  manager.ready();
  manager.status("pulling the image");
  manager.status("two\nREADY=0");
  CHECK(systemd.message() == "READY=1");
  CHECK(systemd.message() == "STATUS=pulling the image");
  CHECK(systemd.message() == "STATUS=two READY=0");
  CHECK(systemd.message().empty());
}

TEST_CASE("behind the last word nothing is left in the environment") {
  const Systemd systemd("1000000");
  asio::io_context context;
  const ServiceManager manager(context.get_executor());
  CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
  CHECK(std::getenv("WATCHDOG_PID") == nullptr);
  CHECK(manager.watchdog_interval() == Milliseconds(500));
  manager.stopping();
  CHECK(systemd.message() == "STOPPING=1");
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  manager.status("too late");
  CHECK(systemd.message().empty());
}

TEST_CASE("a sign of life comes twice in the watchdog's time, for as long as the event loop turns") {
  const Systemd systemd("40000");
  test::ManualContext context;
  ServiceManager manager(context.get_executor());
  base::TaskGroup tasks(context.get_executor());
  tasks.spawn(manager.keep_alive());
  context.poll();
  for (int i = 0; i < 3; ++i) {
    CHECK(systemd.message() == "WATCHDOG=1");
    CHECK(systemd.message().empty());
    context.time.advance(Milliseconds(19));
    context.poll();
    CHECK(systemd.message().empty());
    context.time.advance(Milliseconds(1));
    context.poll();
  }
  tasks.cancel();
  test::run(context, tasks.join());
}

TEST_CASE("without a service manager there is nobody to tell") {
  asio::io_context context;
  ServiceManager manager(context.get_executor());
  CHECK_FALSE(manager.watchdog_interval());
  manager.ready();
  manager.status("x");
  test::run(context, manager.keep_alive());
  manager.stopping();
}

TEST_CASE("another process's watchdog is none of ours") {
  const Systemd systemd("40000");
  ::setenv("WATCHDOG_PID", "1", 1);
  asio::io_context context;
  CHECK_FALSE(ServiceManager(context.get_executor()).watchdog_interval());
}
