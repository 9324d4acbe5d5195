#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

namespace base {

template <typename T>
using Awaitable = asio::awaitable<T>;

using Milliseconds = std::chrono::milliseconds;

/// Suspends for `duration`; cancellation ends it with boost::system::system_error(operation_aborted).
Awaitable<void> sleep_for(asio::any_io_executor executor, Milliseconds duration);

/// Runs the blocking `work` on `executor` (a thread that may block) and resumes the caller where it was. What `work`
/// throws is thrown here. `work` must not refer to anything that a cancelled caller could take away.
template <typename Work>
Awaitable<std::invoke_result_t<Work>> run_blocking(asio::any_io_executor executor, Work work) {
  // The inner coroutine lives on `executor`; co_spawn brings its result back to this coroutine's own executor.
  co_return co_await asio::co_spawn(
      executor, [](Work job) -> Awaitable<std::invoke_result_t<Work>> { co_return job(); }(std::move(work)),
      asio::use_awaitable);
}

/// Several waiters, one wake-up: a coroutine that waits for something another coroutine will do.
class Event {
 public:
  explicit Event(asio::any_io_executor executor);
  void set();
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }
  Awaitable<void> wait();

 private:
  asio::steady_timer timer_;
  bool set_ = false;
};

/// Coroutines that run beside each other under one owner. The first that fails cancels the others; `join` waits until
/// all have ended and then throws that first failure. The group must outlive `join`.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  void spawn(Awaitable<void> task);
  void cancel();
  Awaitable<void> join();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace base
