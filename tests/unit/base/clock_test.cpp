#include "base/clock.h"

#include "tests/unit/catch.h"

TEST_CASE("times are written as RFC 3339 and NumericDate") {
  const auto time = base::from_unix_seconds(1721326475);
  CHECK(base::to_rfc3339(time) == "2024-07-18T18:14:35Z");
  CHECK(base::to_unix_seconds(time + std::chrono::milliseconds(999)) == 1721326475);
  CHECK(base::to_unix_seconds(base::from_unix_seconds(-1)) == -1);
}

TEST_CASE("durations are written in seconds with three decimals") {
  CHECK(base::to_seconds_text(std::chrono::milliseconds(12345)) == "12.345");
  CHECK(base::to_seconds_text(std::chrono::nanoseconds(0)) == "0.000");
}

TEST_CASE("the system's clock since boot does not go back") {
  const base::Clock clock = base::Clock::system();
  const auto before = clock.since_boot();
  CHECK(before.count() > 0);
  CHECK(clock.since_boot() >= before);
  CHECK(clock.wall() > base::from_unix_seconds(1700000000));
}
