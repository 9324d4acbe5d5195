#pragma once

#include <optional>
#include <stdexcept>
#include <type_traits>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/asio.h"

namespace test {

/// No awaited operation of a test takes nearly as long; past it the test fails instead of hanging.
inline constexpr std::chrono::seconds kTestDeadline{60};

/// Runs `context` until `task` has ended and gives its result or throws its exception.
template <typename T>
T run(asio::io_context& context, base::Awaitable<T> task) {
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> result;
  bool ended = false;
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error) {
      failure = error;
      ended = true;
    });
  } else {
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, T value) {
      failure = error;
      if (!error) result = std::move(value);
      ended = true;
    });
  }
  context.restart();
  const auto deadline = std::chrono::steady_clock::now() + kTestDeadline;
  while (!ended) {
    if (context.run_one_until(deadline) == 0) throw std::runtime_error("the awaited operation did not end");
  }
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace test
