#pragma once

#include <exception>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "base/asio.h"

namespace test {

namespace detail {

template <typename T>
base::Awaitable<void> keep(base::Awaitable<T> work, std::optional<T>& result) {
  result.emplace(co_await std::move(work));
}

}  // namespace detail

/// Runs a coroutine on `context` until it has ended; throws what it throws.
inline void run(asio::io_context& context, base::Awaitable<void> work) {
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr f) {
    failure = std::move(f);
    context.stop();
  });
  context.restart();
  context.run();
  if (failure) std::rethrow_exception(failure);
}

/// Returns what the coroutine returns.
template <typename T>
T run(asio::io_context& context, base::Awaitable<T> work) {
  std::optional<T> result;
  run(context, detail::keep(std::move(work), result));
  return std::move(*result);
}

}  // namespace test
