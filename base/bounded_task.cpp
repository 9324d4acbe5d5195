#include "base/bounded_task.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace base {

struct BoundedTask::State {
  explicit State(const asio::any_io_executor& executor) : over(executor) {}

  asio::cancellation_signal signal;
  Event over;
  std::exception_ptr failure;
  bool ended = false;
  bool let_go = false;
};

BoundedTask::BoundedTask(const asio::any_io_executor& executor, Awaitable<void> work)
    : state_(std::make_shared<State>(executor)) {
  asio::co_spawn(
      executor, std::move(work),
      asio::bind_cancellation_slot(state_->signal.slot(), [state = state_](const std::exception_ptr& failure) {
        state->failure = failure;
        state->ended = true;
        state->over.set();
      }));
}

bool BoundedTask::has_ended() const noexcept { return state_->ended; }

std::exception_ptr BoundedTask::failure() const {
  if (state_->ended || !state_->let_go) return state_->failure;
  return std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
}

void BoundedTask::cancel() { state_->signal.emit(asio::cancellation_type::terminal); }

void BoundedTask::let_go() {
  if (state_->ended) return;
  state_->let_go = true;
  state_->over.set();
}

Awaitable<void> BoundedTask::wait() const {
  const auto state = state_;
  co_await state->over.wait();
}

Awaitable<void> BoundedTask::wait_for(Milliseconds patience) const {
  const auto state = state_;
  co_await state->over.wait_for(patience);
}

}  // namespace base
