#include <sys/utsname.h>

#include "oci/platform.h"
#include "tests/unit/catch.h"

namespace oci {

TEST_CASE("the host is of the kernel's architecture and can run what is made for it") {
  const Platform host = Platform::host();
  utsname kernel{};
  REQUIRE(::uname(&kernel) == 0);
  const Platform told = Platform{"linux", kernel.machine}.normalized();
  CHECK(host.os == "linux");
  CHECK(host.architecture == told.architecture);
  CHECK(fitness(host.normalized(), host.normalized()) > 0);
  CHECK_FALSE(needs_more(told, host.normalized()));
}

TEST_CASE("a variant needs all of its features, and those below") {
  const std::string v2 = "fpu cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2";
  const std::string v3 = v2 + " avx avx2 bmi1 bmi2 f16c fma abm movbe";
  const std::string v4 = v3 + " avx512f avx512bw avx512cd avx512dq avx512vl";
  CHECK(amd64_variant("") == "v1");
  CHECK(amd64_variant("fpu cx16x lahf_lm popcnt pni ssse3 sse4_1 sse4_2") == "v1");
  CHECK(amd64_variant(v2) == "v2");
  CHECK(amd64_variant("flags\t\t: " + v3) == "v3");
  CHECK(amd64_variant(v4) == "v4");
  std::string without_popcnt = v4;
  without_popcnt.erase(without_popcnt.find(" popcnt"), 7);
  CHECK(amd64_variant(without_popcnt) == "v1");
}

}  // namespace oci
