#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/asio.h"
#include "base/timer.h"

namespace net {

/// The one deadline of a connection, armed anew for each thing that it waits for. Past it `interrupt` is called, which
/// breaks off the operation under way, and a second later `close`, which ends whatever started another one meanwhile.
/// Neither is called after this object has gone.
///
/// A peer that sends without a pause leaves no operation under way to be broken off. Therefore whoever reads or writes
/// in a loop asks passed() each time round, which looks at the clock.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, std::function<void()> interrupt, std::function<void()> close);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  void arm(base::Milliseconds duration) { arm_at(now() + duration); }
  void arm_at(base::TimePoint when);
  void disarm();
  base::TimePoint now() const { return timer_->now(); }
  base::TimePoint when() const noexcept { return when_; }
  bool passed() const { return now() >= when_; }

 private:
  struct Actions {
    std::function<void()> interrupt;
    std::function<void()> close;
  };
  static void expire(const std::shared_ptr<base::Timer>& timer, const std::weak_ptr<Actions>& actions);

  std::shared_ptr<base::Timer> timer_;
  std::shared_ptr<Actions> actions_;  ///< gone with this object
  base::TimePoint when_ = base::TimePoint::max();
};

}  // namespace net
