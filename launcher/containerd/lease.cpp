#include "launcher/containerd/lease.h"

#include <chrono>

#include <github.com/containerd/containerd/api/services/leases/v1/leases.grpc.pb.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/openssl.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::leases::v1;
using Async = api::Leases::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr auto kExpireLabel = "containerd.io/gc.expire";
constexpr std::chrono::hours kLeaseLifetime{24};
constexpr std::size_t kIdBytes = 16;

}  // namespace

base::Awaitable<Lease> Lease::create(ContainerdClient client) {
  api::CreateRequest request;
  request.set_id(std::string(kOwnNames) + base::hex_encode(base::random_bytes(kIdBytes)));
  const auto end = std::chrono::system_clock::now() + kLeaseLifetime;
  (*request.mutable_labels())[kExpireLabel] = base::to_rfc3339(end);
  const auto response = co_await rpc::unary<api::Leases, api::CreateRequest, api::CreateResponse>(
      client, "lease create", &Async::Create, request);
  co_return Lease(client.with_lease(response.lease().id()));
}

base::Awaitable<void> Lease::add(std::string type, std::string resource_id) const {
  api::AddResourceRequest request;
  request.set_id(id());
  request.mutable_resource()->set_type(type);
  request.mutable_resource()->set_id(resource_id);
  co_await rpc::unary<api::Leases, api::AddResourceRequest, Empty>(client_, "lease add", &Async::AddResource, request);
}

base::Awaitable<void> Lease::release() const { co_await remove(false); }

base::Awaitable<void> Lease::release_and_collect() const { co_await remove(true); }

base::Awaitable<void> Lease::remove(bool wait_for_collection) const {
  api::DeleteRequest request;
  request.set_id(id());
  request.set_sync(wait_for_collection);
  try {
    co_await rpc::unary<api::Leases, api::DeleteRequest, Empty>(client_.with_lease(""), "lease delete", &Async::Delete,
                                                                request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> Lease::list(ContainerdClient client) {
  api::ListRequest request;
  const auto response = co_await rpc::unary<api::Leases, api::ListRequest, api::ListResponse>(client, "lease list",
                                                                                              &Async::List, request);
  std::vector<std::string> ids;
  for (const auto& lease : response.leases()) ids.push_back(lease.id());
  co_return ids;
}

}  // namespace launcher
