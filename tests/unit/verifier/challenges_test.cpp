#include "verifier/challenges.h"

#include <chrono>
#include <regex>
#include <set>

#include "base/encoding.h"
#include "tests/unit/catch.h"
#include "verifier/status.h"

namespace {

using namespace std::chrono_literals;
using verifier::Challenges;

/// A clock that a test turns.
struct ManualClock {
  std::chrono::nanoseconds since_boot = 0s;
  base::WallTime wall = base::from_unix_seconds(1800000000);

  base::Clock clock() {
    return {.wall = [this] { return wall; }, .since_boot = [this] { return since_boot; }};
  }
};

}  // namespace

TEST_CASE("a challenge has a name, a nonce and a lifetime") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto challenge = challenges.issue("my-project", "us-central1");
  CHECK(std::regex_match(challenge.name,
                         std::regex("projects/my-project/locations/us-central1/challenges/"
                                    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  CHECK(challenge.nonce.size() == verifier::kNonceBytes);
  CHECK(challenge.expire_time - challenge.create_time == 300s);
  CHECK(challenges.consume(challenge.name) == challenge.nonce);
}

TEST_CASE("a challenge counts once") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto challenge = challenges.issue("p", "l");
  challenges.consume(challenge.name);
  CHECK_THROWS_AS(challenges.consume(challenge.name), verifier::StatusError);
  CHECK_THROWS_AS(challenges.consume("projects/p/locations/l/challenges/x"), verifier::StatusError);
}

TEST_CASE("a challenge expires by time since boot, whatever the time of day does") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto first = challenges.issue("p", "l");
  const auto second = challenges.issue("p", "l");
  time.wall -= 24h;
  time.since_boot = 300s - 1ns;
  CHECK_NOTHROW(challenges.consume(first.name));
  time.since_boot = 300s;
  CHECK_THROWS_AS(challenges.consume(second.name), verifier::StatusError);
  CHECK(challenges.outstanding() == 0);
}

TEST_CASE("no two challenges share a name or a nonce") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  std::set<std::string> names;
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    const auto challenge = challenges.issue("p", "l");
    names.insert(challenge.name);
    nonces.insert(base::hex_encode(challenge.nonce));
  }
  CHECK(names.size() == 1000);
  CHECK(nonces.size() == 1000);
}

TEST_CASE("the number of outstanding challenges is bounded") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto first = challenges.issue("p", "l");
  for (std::size_t i = 1; i < verifier::kMaxOutstandingChallenges; ++i) challenges.issue("p", "l");
  try {
    challenges.issue("p", "l");
    FAIL("one challenge too many");
  } catch (const verifier::StatusError& error) {
    CHECK(error.code().name == "RESOURCE_EXHAUSTED");
  }
  SECTION("using one makes room") {
    challenges.consume(first.name);
    CHECK_NOTHROW(challenges.issue("p", "l"));
    CHECK_THROWS_AS(challenges.issue("p", "l"), verifier::StatusError);
  }
  SECTION("expiry makes room") {
    time.since_boot = 300s;
    CHECK_NOTHROW(challenges.issue("p", "l"));
    CHECK(challenges.outstanding() == 1);
  }
}
