#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/asio.h"

namespace net {

/// The one deadline of a connection, armed anew for each thing that it waits for. Past it `interrupt` is called, which
/// breaks off the operation under way, and a second later `close`, which ends whatever started another one meanwhile.
/// Neither is called after this object has gone.
///
/// A peer that sends without a pause leaves no operation under way to be broken off. Therefore whoever reads or writes
/// in a loop asks passed() each time round, which looks at the clock.
class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Deadline(asio::any_io_executor executor, std::function<void()> interrupt, std::function<void()> close);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  void arm(base::Milliseconds duration) { arm_at(std::chrono::steady_clock::now() + duration); }
  void arm_at(TimePoint when);
  void disarm();
  TimePoint when() const noexcept { return when_; }
  bool passed() const { return std::chrono::steady_clock::now() >= when_; }

 private:
  struct Actions {
    std::function<void()> interrupt;
    std::function<void()> close;
  };
  static void expire(const std::shared_ptr<asio::steady_timer>& timer, const std::weak_ptr<Actions>& actions);

  std::shared_ptr<asio::steady_timer> timer_;
  std::shared_ptr<Actions> actions_;  ///< gone with this object
  TimePoint when_ = TimePoint::max();
};

}  // namespace net
