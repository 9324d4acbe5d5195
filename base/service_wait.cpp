#include "base/service_wait.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "base/retry.h"

namespace base {
namespace {

/// What is waited for has no retry policy of its own when it is absent: often enough that a machine's start is
/// not held up, rarely enough that nobody is flooded. How long is the wait's own bound.
constexpr RetryPolicy kBetweenAttempts{.max_attempts = std::numeric_limits<int>::max(),
                                       .first_delay = Milliseconds(250),
                                       .multiplier = 1.5,
                                       .max_delay = Milliseconds(3000),
                                       .jitter = 0.1};
/// Without a bound: five retries in some six seconds, as clients of clouds do.
constexpr RetryPolicy kOneRound{.max_attempts = 6,
                                .first_delay = Milliseconds(100),
                                .multiplier = 2.0,
                                .max_delay = Milliseconds(3200),
                                .jitter = 0.1,
                                .max_retry_after = Milliseconds(3200)};
/// What comes within this time is not worth a line, unless it has said no.
constexpr Milliseconds kQuietTime{2000};
constexpr Milliseconds kLogInterval{15000};

Milliseconds in_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<Milliseconds>(time) + Milliseconds(1);  // never less
}

std::int64_t in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

ServiceWait::ServiceWait(asio::any_io_executor executor, Clock clock, std::string service, std::chrono::seconds bound)
    : executor_(std::move(executor)),
      clock_(std::move(clock)),
      service_(std::move(service)),
      bound_(bound),
      first_failure_(executor_) {}

Awaitable<void> ServiceWait::until(Attempt attempt) {
  if (bound_ == std::chrono::seconds(0)) {
    co_await retry(executor_, kOneRound, attempt);
    co_return;
  }
  began_ = clock_.since_boot();
  auto [order, failure, clock_failure] =
      co_await asio::experimental::make_parallel_group(asio::co_spawn(executor_, keep_trying(attempt), asio::deferred),
                                                       asio::co_spawn(executor_, watch_the_clock(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const bool tried_to_the_end = order[0] == 0;
  if (tried_to_the_end && failure) std::rethrow_exception(failure);
  if (!tried_to_the_end && clock_failure) std::rethrow_exception(clock_failure);
  if (failure) {
    throw Error(service_ + ": not reached within " + std::to_string(bound_.count()) + " s: " + reason(),
                last_failure_ ? last_failure_->action() : Action::kGiveUp);
  }
  if (told_) log::info("the " + service_ + " is there", {{"waited_sec", in_seconds(waited())}});
}

Awaitable<void> ServiceWait::keep_trying(const Attempt& attempt) {
  for (int number = 1;; ++number) {
    Milliseconds pause = kBetweenAttempts.delay_after(number);
    try {
      co_await attempt();
      co_return;
    } catch (const Error& error) {
      if (over_ || !error.may_pass()) throw;
      pause = std::max<Milliseconds>(pause, error.retry_after().value_or(std::chrono::seconds(0)));
      last_failure_ = error;
    }
    first_failure_.set();
    co_await sleep_for(executor_, pause);
  }
}

Awaitable<void> ServiceWait::watch_the_clock() {
  co_await first_failure_.wait_for(std::min<Milliseconds>(kQuietTime, bound_));
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  if (cancelled != asio::cancellation_type::none) throw boost::system::system_error(asio::error::operation_aborted);
  while (waited() < bound_) {
    log::warning(
        "waiting for the " + service_,
        {{"waited_sec", in_seconds(waited())}, {"wait_sec", std::int64_t{bound_.count()}}, {"error", reason()}});
    told_ = true;
    co_await sleep_for(executor_, std::min(kLogInterval, in_milliseconds(bound_ - waited())));
  }
  over_ = true;
}

/// The last failure without the name of the service, which stands before it already.
std::string ServiceWait::reason() const {
  if (!last_failure_) return "no answer";
  const std::string text = last_failure_->what();
  const std::string prefix = service_ + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

}  // namespace base
