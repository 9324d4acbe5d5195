#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/timer.h"

namespace asio = boost::asio;

namespace base {

template <typename T>
using Awaitable = asio::awaitable<T>;

using Milliseconds = std::chrono::milliseconds;

/// Suspends for `duration`; cancellation ends it with boost::system::system_error(operation_aborted).
Awaitable<void> sleep_for(asio::any_io_executor executor, Milliseconds duration);

/// Runs the blocking `work` on a thread that may block, to which `start` hands a job, and resumes the caller where it
/// was. What `work` throws is thrown here. If `work` has not returned after `deadline`, or the caller is cancelled, the
/// caller goes on (with the exception that `on_timeout` makes, or operation_aborted) while `work` runs to its end
/// unobserved; it must therefore own all it uses.
template <typename Start, typename Work, typename OnTimeout>
Awaitable<std::invoke_result_t<Work>> run_elsewhere(Start start, Milliseconds deadline, Work work,
                                                    OnTimeout on_timeout) {
  using Result = std::invoke_result_t<Work>;
  struct Shared {
    std::optional<std::conditional_t<std::is_void_v<Result>, std::monostate, Result>> result;
    std::exception_ptr failure;
    std::mutex mutex;         // the two threads meet here and nowhere else
    Timer* caller = nullptr;  // null once the caller has gone on, perhaps with its io_context gone too
  };
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  Timer done(home, deadline);
  const auto shared = std::make_shared<Shared>();
  shared->caller = &done;
  const std::shared_ptr<void> leave(nullptr, [shared](void*) {
    const std::scoped_lock lock(shared->mutex);
    shared->caller = nullptr;
  });
  bool finished = false;
  start([shared, &home, &finished, job = std::move(work)]() mutable {
    try {
      if constexpr (std::is_void_v<Result>) {
        job();
        shared->result.emplace();
      } else {
        shared->result.emplace(job());
      }
    } catch (...) {  // not hidden: carried over to the caller
      shared->failure = std::current_exception();
    }
    const std::scoped_lock lock(shared->mutex);
    if (shared->caller == nullptr) return;  // `home` and `finished` went with the caller
    asio::post(home, [shared, &finished] {
      if (shared->caller == nullptr) return;
      finished = true;
      shared->caller->cancel();
    });
  });
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!finished) {
    if (!done.expired()) throw boost::system::system_error(asio::error::operation_aborted);
    throw on_timeout();
  }
  if (shared->failure) std::rethrow_exception(shared->failure);
  if constexpr (!std::is_void_v<Result>) co_return std::move(*shared->result);
}

/// The same on `executor`.
template <typename Work, typename OnTimeout>
Awaitable<std::invoke_result_t<Work>> run_blocking(asio::any_io_executor executor, Milliseconds deadline, Work work,
                                                   OnTimeout on_timeout) {
  auto start = [executor](auto job) { asio::post(executor, std::move(job)); };
  return run_elsewhere(std::move(start), deadline, std::move(work), std::move(on_timeout));
}

/// The same on a new thread. It may go on when the process wants to end, and then ends with it.
template <typename Work, typename OnTimeout>
Awaitable<std::invoke_result_t<Work>> run_on_own_thread(Milliseconds deadline, Work work, OnTimeout on_timeout) {
  auto start = [](auto job) { std::thread(std::move(job)).detach(); };
  return run_elsewhere(std::move(start), deadline, std::move(work), std::move(on_timeout));
}

/// The same on `executor` without a deadline.
template <typename Work>
Awaitable<std::invoke_result_t<Work>> run_blocking(asio::any_io_executor executor, Work work) {
  constexpr Milliseconds kLongerThanAnyProcess = std::chrono::hours(24 * 365);
  return run_blocking(std::move(executor), kLongerThanAnyProcess, std::move(work),
                      [] { return boost::system::system_error(asio::error::timed_out); });
}

/// Runs both side by side. The first that fails cancels the other, and its exception is the one thrown.
template <typename A, typename B>
Awaitable<std::pair<A, B>> both(Awaitable<A> a, Awaitable<B> b) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto [order, failure_a, result_a, failure_b, result_b] =
      co_await asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(a), asio::deferred),
                                                       asio::co_spawn(executor, std::move(b), asio::deferred))
          .async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  const std::array failures = {failure_a, failure_b};
  for (const std::size_t index : order) {
    if (failures[index]) std::rethrow_exception(failures[index]);
  }
  co_return std::pair<A, B>(std::move(result_a), std::move(result_b));
}

/// Several waiters, one wake-up: a coroutine that waits for something another coroutine will do.
class Event {
 public:
  explicit Event(asio::any_io_executor executor);
  void set();
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }
  Awaitable<void> wait();
  /// The same, but at most for `duration`; ask is_set() behind it.
  Awaitable<void> wait_for(Milliseconds duration);

 private:
  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  bool set_ = false;
};

/// Coroutines that run beside each other under one owner. The first that fails cancels the others; `join` waits until
/// all have ended and then throws that first failure. When its owner is cancelled meanwhile, it cancels them and throws
/// operation_aborted once they have ended; the owner may then await its own clean-up. The group must outlive `join`.
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
