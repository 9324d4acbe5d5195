#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/clock.h"
#include "base/timer.h"
#include "tests/unit/support/run.h"

namespace test {

/// Time that passes as a test says, for all that runs in a ManualContext. A wait that begins later than in the turn in
/// which its timer was armed for a moment that has passed ends with the next advance.
class ManualTime final : public base::TimeService {
 public:
  ManualTime(asio::execution_context& owner, asio::io_context& context) : TimeService(owner), context_(context) {}

  base::TimePoint now() const override { return now_; }
  void arm(const std::shared_ptr<asio::steady_timer>& timer, base::TimePoint when) override {
    timer->expires_at(base::TimePoint::max());
    std::erase_if(armed_, [&](const Armed& other) { return other.timer.expired() || other.timer.lock() == timer; });
    armed_.push_back({timer, when});
    if (when <= now_) asio::post(context_, [this] { wake(); });  // its wait begins only now
  }

  /// What waits until then goes on.
  void advance(std::chrono::nanoseconds duration) {
    now_ += duration;
    asio::post(context_, [this] { wake(); });
  }

  /// How long until the next timer's moment; max() when there is none.
  std::chrono::nanoseconds until_next() const {
    base::TimePoint next = base::TimePoint::max();
    for (const Armed& armed : armed_) {
      if (!armed.timer.expired() && armed.when > now_) next = std::min(next, armed.when);
    }
    return next == base::TimePoint::max() ? std::chrono::nanoseconds::max() : next - now_;
  }

  /// test::run, where nobody waits for more than a moment: whenever there is nothing else to do, the next timer's
  /// moment comes, unless it is further away than `longest`.
  template <typename T>
  T run(base::Awaitable<T> task, std::chrono::nanoseconds longest = std::chrono::nanoseconds::max()) {
    if constexpr (!std::is_void_v<T>) {
      std::optional<T> result;
      run(keep_result(std::move(task), result), longest);
      return std::move(*result);
    } else {
      bool ended = false;
      std::exception_ptr failure;
      asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& error) {
        failure = error;
        ended = true;
      });
      run_until([&] { return ended; }, longest);
      if (failure) std::rethrow_exception(failure);
    }
  }

  /// The same until `condition()` holds.
  template <typename Condition>
  void run_until(Condition condition, std::chrono::nanoseconds longest = std::chrono::nanoseconds::max()) {
    context_.restart();
    const auto deadline = std::chrono::steady_clock::now() + kTestDeadline;
    while (!condition()) {
      if (context_.poll_one() > 0) continue;
      const std::chrono::nanoseconds next = until_next();
      if (next <= longest && next != std::chrono::nanoseconds::max()) {
        advance(next);
      } else if (context_.run_one_until(deadline) == 0) {
        throw std::runtime_error("what was waited for did not happen");
      }
    }
  }

  /// A clock that goes by the same time.
  base::Clock clock() {
    return {.wall =
                [this] {
                  return base::from_unix_seconds(1800000000) +
                         std::chrono::duration_cast<std::chrono::system_clock::duration>(elapsed());
                },
            .since_boot = [this] { return elapsed(); }};
  }
  /// Since it began.
  std::chrono::nanoseconds elapsed() const { return now_ - began_; }

 private:
  struct Armed {
    std::weak_ptr<asio::steady_timer> timer;
    base::TimePoint when;
  };

  void wake() {
    for (const Armed& armed : std::vector(armed_)) {
      const auto timer = armed.timer.lock();
      if (timer && armed.when <= now_) timer->cancel();
    }
  }

  asio::io_context& context_;
  const base::TimePoint began_{std::chrono::hours(1)};
  base::TimePoint now_ = began_;
  std::vector<Armed> armed_;
};

/// An io_context in which no time passes unless the test says so.
struct ManualContext : asio::io_context {
  ManualTime& time = asio::make_service<ManualTime>(*this, *this);
};

}  // namespace test
