#include "launcher/containerd/bounded.h"

#include <grpcpp/support/status_code_enum.h>

namespace launcher {
namespace {

base::Awaitable<void> run(base::Awaitable<void> work, bool& done, base::TaskGroup& group) {
  co_await std::move(work);
  done = true;
  group.cancel();
}

base::Awaitable<void> watch(base::Milliseconds bound, std::string what) {
  const auto executor = co_await asio::this_coro::executor;
  co_await base::sleep_for(executor, bound);
  throw ContainerdError(what, grpc::StatusCode::DEADLINE_EXCEEDED,
                        "not done after " + std::to_string(bound.count()) + " ms");
}

}  // namespace

base::Awaitable<void> within(base::Milliseconds bound, std::string what, base::Awaitable<void> work) {
  const auto executor = co_await asio::this_coro::executor;
  base::TaskGroup group(executor);
  bool done = false;
  group.spawn(run(std::move(work), done, group));
  group.spawn(watch(bound, std::move(what)));
  co_await group.join();
  // A cancelled group ends without an exception.
  if (!done) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace launcher
