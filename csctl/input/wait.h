#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/asio.h"
#include "csctl/input/wait_sign.h"

namespace csctl {

/// What `work(executor)`, a coroutine with bounds of its own, comes to: its result, or what it throws. A person who
/// waits for it sees that `whom` is waited for.
template <typename Work>
auto wait_for(const std::string& whom, Work work) {
  using Result = typename std::invoke_result_t<Work, asio::any_io_executor>::value_type;
  asio::io_context context(1);
  std::optional<Result> result;
  std::exception_ptr failure;
  WaitSign sign(context.get_executor(), whom, terminal_of_person());
  const auto keep = [](auto task, std::optional<Result>& kept) -> base::Awaitable<void> {
    kept.emplace(co_await std::move(task));
  };
  asio::co_spawn(context, keep(work(context.get_executor()), result), [&](const std::exception_ptr& error) {
    failure = error;
    sign.end();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace csctl
