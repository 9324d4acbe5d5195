#include "base/retry.h"

#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

using base::Milliseconds;

TEST_CASE("delays grow up to their limit and stay within their jitter") {
  const base::RetryPolicy steady{.max_attempts = 9,
                                 .first_delay = Milliseconds(100),
                                 .multiplier = 2.0,
                                 .max_delay = Milliseconds(1000),
                                 .jitter = 0.0};
  CHECK(steady.delay_after(1) == Milliseconds(100));
  CHECK(steady.delay_after(2) == Milliseconds(200));
  CHECK(steady.delay_after(4) == Milliseconds(800));
  CHECK(steady.delay_after(5) == Milliseconds(1000));
  CHECK(steady.delay_after(60) == Milliseconds(1000));
  base::RetryPolicy jittery = steady;
  jittery.jitter = 0.5;
  bool differed = false;
  for (int i = 0; i < 200; ++i) {
    const Milliseconds delay = jittery.delay_after(1);
    CHECK(delay >= Milliseconds(50));
    CHECK(delay <= Milliseconds(150));
    differed = differed || delay != Milliseconds(100);
  }
  CHECK(differed);
}

namespace {

base::Error failure(base::Transience transience, std::optional<std::chrono::seconds> retry_after = {}) {
  base::Error error("failure");
  error.set_transience(transience, retry_after);
  return error;
}

struct Flaky {
  int failures = 0;
  base::Transience transience = base::Transience::kMayPass;
  int calls = 0;

  base::Awaitable<int> operator()() {
    if (++calls <= failures) throw base::Error(failure(transience).in_context("attempt " + std::to_string(calls)));
    co_return calls;
  }
};

int attempts_of(Flaky& flaky, int max_attempts) {
  asio::io_context context;
  const base::RetryPolicy policy{.max_attempts = max_attempts, .first_delay = Milliseconds(1)};
  const auto attempt = [&flaky] { return flaky(); };
  return test::run(context, base::retry(context.get_executor(), policy, attempt));
}

}  // namespace

TEST_CASE("what is transient is tried again, as often as the policy says") {
  Flaky twice{.failures = 2};
  CHECK(attempts_of(twice, 3) == 3);
  Flaky thrice{.failures = 3};
  CHECK_THROWS_WITH(attempts_of(thrice, 3), "attempt 3: failure");
  Flaky permanent{.failures = 1, .transience = base::Transience::kPermanent};
  CHECK_THROWS_WITH(attempts_of(permanent, 3), "attempt 1: failure");
  CHECK(permanent.calls == 1);
}

TEST_CASE("who says when to come back is heard, up to a bound, or not asked again at all") {
  using base::Transience;
  using std::chrono::seconds;
  base::RetryPolicy policy{.max_attempts = 3, .first_delay = Milliseconds(100), .max_delay = Milliseconds(100)};
  CHECK(policy.pause_after(1, failure(Transience::kMayPass)) == Milliseconds(100));
  CHECK_FALSE(policy.pause_after(3, failure(Transience::kMayPass)));
  CHECK_FALSE(policy.pause_after(1, failure(Transience::kPermanent)));
  CHECK_FALSE(policy.pause_after(1, failure(Transience::kMayPass, seconds(1))));
  policy.max_retry_after = Milliseconds(10000);
  CHECK(policy.pause_after(1, failure(Transience::kMayPass, seconds(0))) == Milliseconds(100));
  CHECK(policy.pause_after(1, failure(Transience::kMayPass, seconds(9))) == Milliseconds(9000));
  CHECK(policy.pause_after(1, failure(Transience::kMayPass, seconds(11))) == Milliseconds(10000));
  CHECK_FALSE(policy.pause_after(1, failure(Transience::kPermanent, seconds(1))));
}
