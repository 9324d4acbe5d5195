#include "launcher/host/network.h"
#include "tests/unit/support/skip.h"

#include <thread>

#include <sched.h>
#include <unistd.h>

#include "tests/unit/catch.h"

using launcher::why_unroutable;

TEST_CASE("there is always a route to the machine itself") {
  CHECK_FALSE(why_unroutable("127.0.0.1"));
  CHECK_FALSE(why_unroutable("::1"));
}

TEST_CASE("without a network there is no route, and the reason is told") {
  if (test::skips_without_root()) return;
  std::optional<std::string> to_address;
  std::optional<std::string> to_name;
  bool apart = false;
  // The namespace is the thread's own, and goes with it.
  std::thread([&] {
    apart = ::unshare(CLONE_NEWNET) == 0;
    to_address = why_unroutable("169.254.169.254");
    to_name = why_unroutable("metadata.google.internal");
  }).join();
  REQUIRE(apart);
  CHECK(to_address == "no route to 169.254.169.254: Network is unreachable");
  CHECK(to_name == "no network interface is up with an address");
}
