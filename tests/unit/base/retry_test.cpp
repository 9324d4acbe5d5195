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

struct Flaky {
  int failures = 0;
  int calls = 0;

  base::Awaitable<int> operator()() {
    if (++calls <= failures) throw base::Error("attempt " + std::to_string(calls));
    co_return calls;
  }
};

int attempts_of(Flaky& flaky, int max_attempts, bool transient) {
  asio::io_context context;
  const base::RetryPolicy policy{.max_attempts = max_attempts, .first_delay = Milliseconds(1)};
  const auto attempt = [&flaky] { return flaky(); };
  const auto is_transient = [transient](const base::Error&) { return transient; };
  return test::run(context, base::retry(context.get_executor(), policy, attempt, is_transient));
}

}  // namespace

TEST_CASE("what is transient is tried again, as often as the policy says") {
  Flaky twice{.failures = 2};
  CHECK(attempts_of(twice, 3, true) == 3);
  Flaky thrice{.failures = 3};
  CHECK_THROWS_WITH(attempts_of(thrice, 3, true), "attempt 3");
  Flaky permanent{.failures = 1};
  CHECK_THROWS_WITH(attempts_of(permanent, 3, false), "attempt 1");
  CHECK(permanent.calls == 1);
}
