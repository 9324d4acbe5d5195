#pragma once

#include <chrono>
#include <functional>

#include "base/asio.h"
#include "base/error.h"

namespace base {

/// When to try again after a failure. Each policy is a named constant with its source beside what it serves.
struct RetryPolicy {
  int max_attempts = 1;
  Milliseconds first_delay{0};
  double multiplier = 1.0;
  Milliseconds max_delay{0};
  /// Each delay is drawn evenly from delay * (1 - jitter) .. delay * (1 + jitter).
  double jitter = 0.0;

  /// The delay behind attempt number `attempt` (the first is 1).
  Milliseconds delay_after(int attempt) const;
};

/// Awaits `attempt()` until it succeeds, `is_transient` says no to what it threw, or the policy is used up; the last
/// failure is thrown then. Only exceptions derived from base::Error are looked at.
template <typename Attempt, typename IsTransient>
std::invoke_result_t<Attempt> retry(asio::any_io_executor executor, RetryPolicy policy, Attempt attempt,
                                    IsTransient is_transient) {
  for (int number = 1;; ++number) {
    Milliseconds delay{0};
    try {
      co_return co_await attempt();
    } catch (const Error& error) {
      if (number >= policy.max_attempts || !is_transient(error)) throw;
      delay = policy.delay_after(number);
    }
    co_await sleep_for(executor, delay);
  }
}

/// Evenly drawn from [low, high].
double random_between(double low, double high);

}  // namespace base
