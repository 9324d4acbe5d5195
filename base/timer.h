#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace base {

using TimePoint = std::chrono::steady_clock::time_point;

/// Where all that runs in an execution context has its time to wait from: the steady clock. A test gives its context
/// another one (asio::make_service of a derived class), in which time passes as the test says.
class TimeService : public boost::asio::execution_context::service {
 public:
  static boost::asio::execution_context::id id;

  explicit TimeService(boost::asio::execution_context& context) : service(context) {}
  static TimeService& of(const boost::asio::any_io_executor& executor);

  virtual TimePoint now() const { return std::chrono::steady_clock::now(); }
  /// Has the waits for `timer` end at `when`, and those under way at once.
  virtual void arm(const std::shared_ptr<boost::asio::steady_timer>& timer, TimePoint when) { timer->expires_at(when); }

 private:
  void shutdown() override {}
};

/// Waits for a moment. All that waits for time waits with this one.
class Timer {
 public:
  explicit Timer(const boost::asio::any_io_executor& executor)
      : service_(TimeService::of(executor)), timer_(std::make_shared<boost::asio::steady_timer>(executor)) {}
  Timer(const boost::asio::any_io_executor& executor, std::chrono::milliseconds duration) : Timer(executor) {
    expires_after(duration);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { timer_->cancel(); }

  TimePoint now() const { return service_.now(); }
  /// Both end the waits under way.
  void expires_at(TimePoint when) { service_.arm(timer_, when_ = when); }
  void expires_after(std::chrono::milliseconds duration) { expires_at(now() + duration); }
  void cancel() { timer_->cancel(); }

  /// Whether the moment has come. Behind a wait this is what tells, and not the wait's error code.
  bool expired() const { return now() >= when_; }

  template <typename Token>
  auto async_wait(Token&& token) {
    return timer_->async_wait(std::forward<Token>(token));
  }

 private:
  TimeService& service_;
  std::shared_ptr<boost::asio::steady_timer> timer_;
  TimePoint when_ = TimePoint::max();
};

}  // namespace base
