#include "launcher/containerd/client.h"

#include <chrono>

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/run.h"

namespace launcher {

TEST_CASE("a socket where nobody answers is an error at once, not a hang") {
  asio::io_context context;
  const ContainerdClient client("/run/cs-launcher-no-such-socket");
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(test::run(context, client.version()), ContainerdError);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK_THROWS_AS(ContainerdClient("relative/socket"), base::Error);
}

TEST_CASE("only lost connections ask for a restart") {
  constexpr int kNotFound = 5;
  constexpr int kUnavailable = 14;
  CHECK(ContainerdError("x", kUnavailable, "y").action() == base::Action::kRestart);
  CHECK(ContainerdError("x", kNotFound, "y").action() == base::Action::kGiveUp);
  CHECK(ContainerdError("x", kNotFound, "y").is_not_found());
  CHECK_THAT(ContainerdError("task start", kNotFound, "y").what(), ContainsSubstring("containerd task start: y"));
}

}  // namespace launcher
