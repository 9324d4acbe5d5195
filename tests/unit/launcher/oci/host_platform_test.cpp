#include <sys/utsname.h>

#include "launcher/oci/platform.h"
#include "tests/unit/catch.h"

namespace launcher {

TEST_CASE("C 3: the host is of the kernel's architecture and can run what is made for it") {
  const Platform host = Platform::host();
  utsname kernel{};
  REQUIRE(::uname(&kernel) == 0);
  const Platform told = Platform{"linux", kernel.machine}.normalized();
  CHECK(host.os == "linux");
  CHECK(host.architecture == told.architecture);
  CHECK(fitness(host.normalized(), host.normalized()) > 0);
  CHECK_FALSE(needs_more(told, host.normalized()));
}

}  // namespace launcher
