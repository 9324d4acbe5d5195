#include "firewall/socket.h"

#include <array>
#include <chrono>

#include <sys/socket.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"

namespace {

std::pair<base::FileDescriptor, base::FileDescriptor> make_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

}  // namespace

TEST_CASE("messages keep their borders, and have a limit") {
  auto [here, there] = make_pair();
  firewall::send_message(here.get(), "one");
  firewall::send_message(here.get(), "two");
  firewall::send_message(here.get(), "three");
  CHECK(firewall::receive_message(there.get(), 3) == "one");
  CHECK(firewall::receive_message(there.get(), 100) == "two");
  CHECK_THROWS_WITH(firewall::receive_message(there.get(), 4), "a message is too long");
  here = {};
  CHECK_FALSE(firewall::receive_message(there.get(), 3));
  CHECK_THROWS_AS(firewall::send_message(there.get(), "four"), base::SystemError);
}

TEST_CASE("who waits for a message waits no longer than its bound") {
  auto [here, there] = make_pair();
  firewall::set_bound(here.get(), std::chrono::seconds(1));
  CHECK_THROWS_WITH(firewall::receive_message(here.get(), 3), "no message came in time");
}
