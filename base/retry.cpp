#include "base/retry.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace base {

double random_between(double low, double high) {
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(low, high)(generator);
}

Milliseconds RetryPolicy::delay_after(int attempt) const {
  const double grown = static_cast<double>(first_delay.count()) * std::pow(multiplier, attempt - 1);
  const double capped = std::min(grown, static_cast<double>(max_delay.count()));
  return Milliseconds(static_cast<Milliseconds::rep>(capped * random_between(1.0 - jitter, 1.0 + jitter)));
}

std::optional<Milliseconds> RetryPolicy::pause_after(int attempt, const Error& failure) const {
  if (attempt >= max_attempts || !failure.may_pass()) return std::nullopt;
  const Milliseconds delay = delay_after(attempt);
  if (!failure.retry_after()) return delay;
  if (max_retry_after == Milliseconds(0)) return std::nullopt;
  return std::max(delay, std::min<Milliseconds>(*failure.retry_after(), max_retry_after));
}

}  // namespace base
