#include "base/asio.h"

#include <list>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>

namespace base {

Awaitable<void> sleep_for(asio::any_io_executor executor, Milliseconds duration) {
  Timer timer(executor, duration);
  boost::system::error_code code;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
  if (!timer.expired()) throw boost::system::system_error(code);
}

Event::Event(asio::any_io_executor executor)
    : executor_(std::move(executor)), timer_(executor_, asio::steady_timer::time_point::max()) {}

void Event::set() {
  set_ = true;
  timer_.cancel();
}

Awaitable<void> Event::wait() {
  while (!set_) {
    boost::system::error_code ignored;  // set() wakes the waiters by cancelling the timer
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
}

Awaitable<void> Event::wait_for(Milliseconds duration) {
  if (set_) co_return;
  Timer patience(executor_, duration);
  co_await asio::experimental::make_parallel_group(timer_.async_wait(asio::deferred),
                                                   patience.async_wait(asio::deferred))
      .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
}

struct TaskGroup::State {
  explicit State(asio::any_io_executor e) : executor(std::move(e)), idle(executor) {}

  void cancel_all() {
    cancelled = true;
    // Posted: a task may be cancelled by another one that is still on the stack.
    for (auto& signal : signals) {
      asio::post(executor, [signal] { signal->emit(asio::cancellation_type::terminal); });
    }
  }

  asio::any_io_executor executor;
  std::list<std::shared_ptr<asio::cancellation_signal>> signals;
  std::exception_ptr first_failure;
  Event idle;
  bool cancelled = false;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { cancel(); }

void TaskGroup::spawn(Awaitable<void> task) {
  auto signal = std::make_shared<asio::cancellation_signal>();
  state_->idle.clear();
  const auto place = state_->signals.insert(state_->signals.end(), signal);
  asio::co_spawn(
      state_->executor, std::move(task),
      asio::bind_cancellation_slot(signal->slot(), [state = state_, place](const std::exception_ptr& failure) {
        state->signals.erase(place);
        if (failure && !state->first_failure && !state->cancelled) {
          state->first_failure = failure;
          state->cancel_all();
        }
        if (state->signals.empty()) state->idle.set();
      }));
  if (state_->cancelled) {
    asio::post(state_->executor, [signal] { signal->emit(asio::cancellation_type::terminal); });
  }
}

void TaskGroup::cancel() { state_->cancel_all(); }

Awaitable<void> TaskGroup::join() {
  const auto state = state_;
  // A cancelled owner still waits for its children: they are cancelled and end soon, and may use what the owner owns.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  bool is_cancelled = false;
  for (;;) {
    // Asked behind the last wait, too: the cancellation may have come together with the last child's end.
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
      is_cancelled = true;
      state->cancel_all();
      co_await asio::this_coro::reset_cancellation_state();
    }
    if (state->signals.empty()) break;
    try {
      co_await state->idle.wait();
    } catch (const boost::system::system_error&) {
      // The owner was cancelled.
    }
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (is_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (state->first_failure) std::rethrow_exception(state->first_failure);
}

}  // namespace base
