#pragma once

#include <optional>
#include <type_traits>

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
  /// A failure that says when to come back is met with a pause as long as that, or as this if it is shorter. Zero: such
  /// a failure is the caller's to wait for.
  Milliseconds max_retry_after{0};

  /// The delay behind attempt number `attempt` (the first is 1).
  Milliseconds delay_after(int attempt) const;
  /// The pause behind attempt number `attempt`, which failed so; nothing when there is to be no other.
  std::optional<Milliseconds> pause_after(int attempt, const Error& failure) const;
};

/// Awaits `attempt()` until it succeeds, fails for good, or the policy is used up; the last failure is thrown then.
/// Only exceptions derived from base::Error are looked at.
template <typename Attempt>
std::invoke_result_t<Attempt> retry(asio::any_io_executor executor, RetryPolicy policy, Attempt attempt) {
  for (int number = 1;; ++number) {
    Milliseconds delay{0};
    try {
      co_return co_await attempt();
    } catch (const Error& error) {
      const std::optional<Milliseconds> pause = policy.pause_after(number, error);
      if (!pause) throw;
      delay = *pause;
    }
    co_await sleep_for(executor, delay);
  }
}

/// Evenly drawn from [low, high].
double random_between(double low, double high);

}  // namespace base
