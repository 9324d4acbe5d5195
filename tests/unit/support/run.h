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

template <typename T>
base::Awaitable<void> keep_result(base::Awaitable<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

/// Runs `context` until `task` has ended and gives its result or throws its exception.
template <typename T>
T run(asio::io_context& context, base::Awaitable<T> task) {
  if constexpr (!std::is_void_v<T>) {
    std::optional<T> result;
    run(context, keep_result(std::move(task), result));
    return std::move(*result);
  } else {
    std::exception_ptr failure;
    bool ended = false;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error) {
      failure = error;
      ended = true;
    });
    context.restart();
    const auto deadline = std::chrono::steady_clock::now() + kTestDeadline;
    while (!ended) {
      if (context.run_one_until(deadline) == 0) throw std::runtime_error("the awaited operation did not end");
    }
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace test
