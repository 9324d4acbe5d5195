#include "net/deadline.h"

#include <utility>

namespace net {
namespace {

constexpr base::Milliseconds kFromInterruptToClose{1000};

}  // namespace

Deadline::Deadline(const asio::any_io_executor& executor, std::function<void()> interrupt, std::function<void()> close)
    : timer_(std::make_shared<base::Timer>(executor)),
      actions_(std::make_shared<Actions>(Actions{std::move(interrupt), std::move(close)})) {}

Deadline::~Deadline() { timer_->cancel(); }

void Deadline::arm_at(base::TimePoint when) {
  when_ = when;
  timer_->expires_at(when);
  timer_->async_wait([timer = timer_, actions = std::weak_ptr(actions_)](const boost::system::error_code&) {
    if (timer->expired()) expire(timer, actions);
  });
}

void Deadline::disarm() {
  when_ = base::TimePoint::max();
  timer_->expires_at(when_);  // not only cancelled: one that has expired already would go on
}

void Deadline::expire(const std::shared_ptr<base::Timer>& timer, const std::weak_ptr<Actions>& actions) {
  const auto alive = actions.lock();
  if (!alive) return;
  alive->interrupt();
  timer->expires_after(kFromInterruptToClose);
  timer->async_wait([timer, actions](const boost::system::error_code&) {
    const auto still_alive = actions.lock();
    if (timer->expired() && still_alive) still_alive->close();
  });
}

}  // namespace net
