#include "verifier/service/challenges/challenges.h"

#include <chrono>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "evidence/status.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

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

verifier::IssuedChallenge issue(Challenges& challenges, const std::string& project, const std::string& location) {
  asio::io_context context;
  return test::run(context, challenges.issue(project, location));
}

base::Bytes consume(Challenges& challenges, const std::string& name) {
  asio::io_context context;
  return test::run(context, challenges.consume(name));
}

bool is_refused(Challenges& challenges, const std::string& name) {
  const auto refuses = [](auto use) {
    try {
      use();
      return false;
    } catch (const evidence::StatusError& error) {
      CHECK(error.code() == evidence::StatusCode::kNotFound);
      return true;
    }
  };
  const bool at_first = refuses([&] { challenges.expect_open(name); });
  return refuses([&] { consume(challenges, name); }) && at_first;
}

}  // namespace

TEST_CASE("a challenge has a name, a nonce and a lifetime") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto challenge = issue(challenges, "my-project", "us-central1");
  CHECK(std::regex_match(challenge.name,
                         std::regex("projects/my-project/locations/us-central1/challenges/[a-z2-7]{64}")));
  CHECK(challenge.nonce.size() == verifier::kNonceBytes);
  CHECK(challenge.expire_time - challenge.create_time == 300s);
  CHECK_NOTHROW(challenges.expect_open(challenge.name));
  CHECK(consume(challenges, challenge.name) == challenge.nonce);
}

TEST_CASE("another lifetime counts from then on") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto before = issue(challenges, "p", "l");
  challenges.set_lifetime(10s);
  const auto after = issue(challenges, "p", "l");
  CHECK(after.expire_time - after.create_time == 10s);
  time.since_boot += 20s;
  CHECK(is_refused(challenges, after.name));
  CHECK(consume(challenges, before.name) == before.nonce);
}

TEST_CASE("a challenge costs nothing until it is used, and then counts once") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto challenge = issue(challenges, "p", "l");
  const auto other = issue(challenges, "p", "l");
  CHECK(challenges.used() == 0);
  consume(challenges, challenge.name);
  CHECK(challenges.used() == 1);
  CHECK(is_refused(challenges, challenge.name));
  CHECK_NOTHROW(challenges.expect_open(other.name));
}

TEST_CASE("a challenge that was made up is refused, whichever of its characters was changed") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const std::string name = issue(challenges, "my-project", "us-central1").name;
  for (std::size_t i = 0; i < name.size(); ++i) {
    std::string changed = name;
    changed[i] = changed[i] == 'b' ? 'c' : 'b';
    CAPTURE(changed);
    CHECK(is_refused(challenges, changed));
  }
  const std::string id = name.substr(name.rfind('/') + 1);
  for (const std::string& other : std::vector<std::string>{
           "", id, "projects/my-project/locations/us-central1/challenges/", "projects/x/locations/y/challenges/x",
           "projects/my-project/locations/europe-west4/challenges/" + id,
           "projects/other/locations/us-central1/challenges/" + id,
           "projects/us-central1/locations/my-project/challenges/" + id, name + "a", name.substr(0, name.size() - 1)}) {
    CAPTURE(other);
    CHECK(is_refused(challenges, other));
  }
  CHECK(challenges.used() == 0);
}

TEST_CASE("a challenge of another process is refused, and so one that was used before a restart") {
  ManualClock time;
  Challenges before(300s, time.clock());
  const auto open = issue(before, "p", "l");
  const auto used = issue(before, "p", "l");
  consume(before, used.name);
  Challenges after(300s, time.clock());
  CHECK(is_refused(after, open.name));
  CHECK(is_refused(after, used.name));
}

TEST_CASE("a challenge expires by time since boot, whatever the time of day does") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto first = issue(challenges, "p", "l");
  const auto second = issue(challenges, "p", "l");
  time.wall -= 24h;
  time.since_boot = 300s - 1ns;
  CHECK_NOTHROW(consume(challenges, first.name));
  time.since_boot = 300s;
  CHECK(is_refused(challenges, second.name));
}

TEST_CASE("a used challenge stays used when the time of day goes back") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  const auto challenge = issue(challenges, "p", "l");
  consume(challenges, challenge.name);
  time.wall -= 1h;
  CHECK(is_refused(challenges, challenge.name));
  time.since_boot = 299s;
  CHECK(is_refused(challenges, challenge.name));
}

TEST_CASE("a used challenge is remembered until it can't be accepted any more") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  consume(challenges, issue(challenges, "p", "l").name);
  time.since_boot = 299s;
  consume(challenges, issue(challenges, "p", "l").name);
  CHECK(challenges.used() == 2);
  time.since_boot = 300s;
  consume(challenges, issue(challenges, "p", "l").name);
  CHECK(challenges.used() == 2);
}

TEST_CASE("two requests never get one nonce") {
  ManualClock time;
  Challenges challenges(300s, time.clock());
  std::set<std::string> names;
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    const auto challenge = issue(challenges, "p", "l");
    names.insert(challenge.name);
    nonces.insert(base::hex_encode(challenge.nonce));
  }
  CHECK(names.size() == 1000);
  CHECK(nonces.size() == 1000);
}

TEST_CASE("how many used challenges are remembered is bounded, and none is accepted twice") {
  constexpr std::size_t kMax = 8;
  ManualClock time;
  Challenges challenges(300s, time.clock(), kMax);
  std::vector<std::string> used;
  std::vector<std::string> open;
  for (std::size_t i = 0; i < kMax; ++i) {
    time.since_boot += 1s;
    used.push_back(issue(challenges, "p", "l").name);
    open.push_back(issue(challenges, "p", "l").name);
  }
  for (const std::string& name : used) consume(challenges, name);
  CHECK(challenges.used() == kMax);
  for (const std::string& name : open) CHECK_NOTHROW(challenges.expect_open(name));
  consume(challenges, open.back());
  used.push_back(open.back());
  CHECK(challenges.used() == kMax);
  for (const std::string& name : used) CHECK(is_refused(challenges, name));
  CHECK(is_refused(challenges, open.front()));  // expires no later than the one that was forgotten
  for (std::size_t i = 1; i + 1 < open.size(); ++i) CHECK_NOTHROW(challenges.expect_open(open[i]));
  SECTION("a flood shortens lifetimes and refuses no new challenge") {
    for (std::size_t i = 0; i < 100 * kMax; ++i) {
      time.since_boot += 200ms;
      consume(challenges, issue(challenges, "p", "l").name);
      CHECK(challenges.used() <= kMax);
    }
    time.since_boot += 1s;
    CHECK_NOTHROW(consume(challenges, issue(challenges, "p", "l").name));
    CHECK(challenges.used() <= kMax);
  }
}
