#include "oci/platform.h"

#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/catch.h"

namespace oci {
namespace {

std::string text_of(const Platform& platform) { return platform.name() + "/" + platform.variant; }

}  // namespace

TEST_CASE("platforms are compared in the words that containerd uses") {
  const std::vector<std::tuple<Platform, const char*>> cases = {
      {{"linux", "amd64"}, "linux/amd64/v1"},
      {{"Linux", "AMD64", "V2"}, "linux/amd64/v2"},
      {{"", "x86_64"}, "linux/amd64/v1"},
      {{"linux", "x86-64", "v1"}, "linux/amd64/v1"},
      {{"linux", "aarch64"}, "linux/arm64/v8"},
      {{"linux", "arm64", "8"}, "linux/arm64/v8"},
      {{"linux", "arm64", "v8"}, "linux/arm64/v8"},
      {{"linux", "arm64", "v9"}, "linux/arm64/v9"},
      {{"linux", "i386"}, "linux/386/"},
      {{"windows", "amd64"}, "windows/amd64/v1"},
      {{"unknown", "unknown"}, "unknown/unknown/"},
      {{"", ""}, "linux//"},
  };
  for (const auto& [platform, expected] : cases) CHECK(text_of(platform.normalized()) == expected);
}

TEST_CASE("the variant that every machine runs comes first, then the highest that this one runs") {
  const Platform v2{"linux", "amd64", "v2"};
  const auto amd64 = [](const char* variant) { return Platform{"linux", "amd64", variant}.normalized(); };
  CHECK(fitness(amd64(""), v2) > fitness(amd64("v2"), v2));
  CHECK(fitness(amd64("v2"), v2) > 0);
  CHECK(fitness(amd64("v3"), v2) == 0);
  CHECK(fitness(amd64("v4"), v2) == 0);
  CHECK(fitness(amd64("v5"), amd64("v4")) == 0);
  CHECK(fitness(amd64("v3"), amd64("v4")) > fitness(amd64("v2"), amd64("v4")));
  CHECK(fitness(amd64("v2.1"), amd64("v4")) == 0);
  CHECK(fitness(amd64("x"), amd64("v4")) == 0);
  INFO("32-bit images come last");
  CHECK(fitness({"linux", "386", ""}, v2) > 0);
  CHECK(fitness({"linux", "386", ""}, v2) < fitness(amd64("v2"), v2));
  CHECK(fitness({"windows", "386", ""}, v2) == 0);
  CHECK(fitness({"windows", "amd64", "v1"}, v2) == 0);
  const Platform arm{"linux", "arm64", "v8"};
  CHECK(fitness(Platform{"linux", "arm64"}.normalized(), arm) > 0);
  CHECK(fitness({"linux", "arm64", "v9"}, arm) == 0);
  CHECK(fitness({"linux", "arm", "v7"}, arm) == 0);
  CHECK(fitness({"linux", "386", ""}, arm) == 0);
  CHECK(fitness(amd64(""), arm) == 0);
}

TEST_CASE("an image needs more than a machine has only where both are known") {
  CHECK(needs_more({"linux", "amd64", "v4"}, {"linux", "amd64", "v3"}));
  CHECK_FALSE(needs_more({"linux", "amd64", "v3"}, {"linux", "amd64", "v3"}));
  CHECK_FALSE(needs_more({"linux", "amd64", "odd"}, {"linux", "amd64", "v1"}));
  CHECK_FALSE(needs_more({"linux", "arm64", "v9"}, {"linux", "arm64", "v8"}));
}

TEST_CASE("the machine's own platform is one that images are made for") {
  const Platform host = Platform::host();
  CHECK(text_of(host.normalized()) == text_of(host));
  CHECK(fitness(host, host) > 0);
  CHECK(fitness(Platform{"linux", host.architecture}.normalized(), host) > 0);
}

}  // namespace oci
