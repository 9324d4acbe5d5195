#pragma once

// How the services talk gRPC. Included by their .cpp files only, so that nobody else compiles gRPC's headers.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <grpcpp/grpcpp.h>

#include "launcher/containerd/client.h"

namespace launcher {

inline constexpr base::Milliseconds kCallTimeout{30000};
/// For calls that work on whole layers, and for each exchange on a stream.
inline constexpr base::Milliseconds kLayerCallTimeout{30 * 60 * 1000};

struct ContainerdClient::Connection {
  std::shared_ptr<grpc::Channel> channel;
  std::string containerd_namespace;
  /// Streams are driven by blocking calls, here.
  asio::thread_pool blocking_pool;

  Connection(std::shared_ptr<grpc::Channel> c, std::string n, std::size_t threads)
      : channel(std::move(c)), containerd_namespace(std::move(n)), blocking_pool(threads) {}
};

namespace rpc {

void prepare(grpc::ClientContext& context, const ContainerdClient& client);
void set_timeout(grpc::ClientContext& context, base::Milliseconds timeout);
/// Throws ContainerdError unless `status` is OK.
void check(const grpc::Status& status, const char* call);

/// All of one unary call. Held by the completion callback, so that it outlives a caller that went away.
template <typename Service, typename Request, typename Response>
struct UnaryCall {
  std::unique_ptr<typename Service::Stub> stub;
  grpc::ClientContext context;
  Request request;
  Response response;
  grpc::Status status;
};

template <typename Service, typename Request, typename Response>
using AsyncMethod = void (Service::StubInterface::async_interface::*)(grpc::ClientContext*, const Request*, Response*,
                                                                      std::function<void(grpc::Status)>);

template <typename Service, typename Request, typename Response>
base::Awaitable<void> run(std::shared_ptr<UnaryCall<Service, Request, Response>> call,
                          AsyncMethod<Service, Request, Response> method) {
  const auto start = [call, method](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type) {
        if (const auto alive = weak.lock()) alive->context.TryCancel();
      });
    }
    const auto executor = asio::get_associated_executor(handler);
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    // gRPC's own thread runs this. All that it holds is moved on to the caller's executor: the handler, because it is
    // to run there, the call, because the last owner of a channel may not be one of gRPC's threads, and the work,
    // because the executor's context may go once the handler has run.
    (call->stub->async()->*method)(&call->context, &call->request, &call->response,
                                   [owned = call, executor, shared = std::move(shared),
                                    work = asio::make_work_guard(executor)](const grpc::Status& status) mutable {
                                     owned->status = status;
                                     asio::post(executor, [owned = std::move(owned), shared = std::move(shared),
                                                           work = std::move(work)]() mutable {
                                       owned.reset();
                                       std::move (*shared)();
                                     });
                                   });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
}

/// Calls `method`; `name` is for errors. No timeout means none at all.
template <typename Service, typename Request, typename Response>
base::Awaitable<Response> unary(ContainerdClient client, const char* name,
                                AsyncMethod<Service, Request, Response> method, Request request,
                                base::Milliseconds timeout = kCallTimeout) {
  auto call = std::make_shared<UnaryCall<Service, Request, Response>>();
  call->stub = Service::NewStub(client.connection().channel);
  call->request = std::move(request);
  prepare(call->context, client);
  if (timeout.count() > 0) set_timeout(call->context, timeout);
  co_await run<Service, Request, Response>(call, method);
  if (call->status.error_code() == grpc::StatusCode::CANCELLED) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
  check(call->status, name);
  co_return std::move(call->response);
}

/// Runs `work`, which blocks in calls made with `context`, on a thread that may block. Returns only when it has ended,
/// so that one stream is never used by two threads at once and nothing that `work` refers to goes while it runs. The
/// caller's cancellation, or `unwanted` from the start, bounds it by `patience`, and kLayerCallTimeout does in any
/// case.
template <typename Work>
base::Awaitable<void> stream_call(ContainerdClient client, grpc::ClientContext& context, Work work,
                                  base::Milliseconds patience = kUnwantedCallPatience, bool unwanted = false) {
  struct Bound {
    explicit Bound(const asio::any_io_executor& executor) : timer(executor) {}
    base::Timer timer;
    bool is_unwanted = false;
    bool ended = false;
  };
  const auto bound = std::make_shared<Bound>(co_await asio::this_coro::executor);
  const auto end_after = [&context, bound](base::Milliseconds limit) {
    bound->timer.expires_after(limit);
    bound->timer.async_wait([&context, bound](const boost::system::error_code&) {
      if (!bound->ended && bound->timer.expired()) context.TryCancel();
    });
  };
  const auto start_bound = [bound, patience, end_after] {
    if (!std::exchange(bound->is_unwanted, true)) end_after(patience);
  };
  if (unwanted) {
    start_bound();
  } else {
    end_after(kLayerCallTimeout);
  }
  const auto failure = std::make_shared<std::exception_ptr>();
  const auto start = [&client, &work, &start_bound, failure](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign([&start_bound](asio::cancellation_type) { start_bound(); });
    const auto executor = asio::get_associated_executor(handler);
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    asio::post(client.connection().blocking_pool, [&work, failure, executor, shared = std::move(shared),
                                                   guard = asio::make_work_guard(executor)]() mutable {
      try {
        work();
      } catch (...) {  // not hidden: carried over to the caller
        *failure = std::current_exception();
      }
      asio::post(executor, [shared = std::move(shared)]() mutable { std::move (*shared)(); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
  bound->ended = true;
  bound->timer.cancel();
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (*failure) std::rethrow_exception(*failure);
}

/// Reads a whole answer that comes as a stream: `work` takes the context and blocks in its calls. Cancelling ends it.
template <typename Result, typename Work>
base::Awaitable<Result> read_stream(ContainerdClient client, Work work) {
  grpc::ClientContext context;
  prepare(context, client);
  set_timeout(context, kCallTimeout);
  std::optional<Result> result;
  auto read = [&context, &result, &work] { result = work(context); };
  constexpr base::Milliseconds kNothingToEndInOrder{0};
  co_await stream_call(client, context, std::move(read), kNothingToEndInOrder);
  co_return std::move(*result);
}

}  // namespace rpc
}  // namespace launcher
