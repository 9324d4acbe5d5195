#include "base/service_manager.h"

#include <cstdlib>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/systemd.h"

using base::Milliseconds;
using base::ServiceManager;
using test::Systemd;

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
