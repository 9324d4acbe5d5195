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

}  // namespace base
