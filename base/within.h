#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "base/asio.h"

namespace base {

/// What `work` returns, or nothing when it takes longer than `bound`: it has then been cancelled, and has ended. What
/// it throws is thrown.
template <typename T>
Awaitable<std::optional<T>> within(Milliseconds bound, Awaitable<T> work) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto [order, failure, result, timer_failure] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, std::move(work), asio::deferred),
          asio::co_spawn(executor, sleep_for(executor, bound), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 1 && failure && !timer_failure) co_return std::nullopt;
  if (failure) std::rethrow_exception(failure);
  co_return std::optional<T>(std::move(result));
}

}  // namespace base
