#include "launcher/containerd/bounded.h"

#include <array>
#include <exception>

#include <grpcpp/support/status_code_enum.h>

namespace launcher {

base::Awaitable<void> within(base::Milliseconds bound, std::string what, base::Awaitable<void> work) {
  const auto executor = co_await asio::this_coro::executor;
  base::Timer timer(executor, bound);
  // The first to end cancels the other one, and both are waited for.
  auto [order, failure, timer_code] =
      co_await asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                       timer.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  constexpr std::size_t kTimer = 1;
  if (order[0] == kTimer && failure) {
    throw ContainerdError(what, grpc::StatusCode::DEADLINE_EXCEEDED,
                          "not done after " + std::to_string(bound.count()) + " ms");
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace launcher
