#include "launcher/containerd/lease.h"

#include <chrono>

#include <github.com/containerd/containerd/api/services/leases/v1/leases.grpc.pb.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/openssl.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace leases_api = ::containerd::services::leases::v1;
using LeasesAsync = leases_api::Leases::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr auto kExpireLabel = "containerd.io/gc.expire";
constexpr std::chrono::hours kLeaseLifetime{24};
constexpr std::size_t kLeaseIdBytes = 16;

}  // namespace

base::Awaitable<Lease> Lease::create(ContainerdClient client) {
  leases_api::CreateRequest request;
  request.set_id(std::string(kOwnNames) + base::hex_encode(base::random_bytes(kLeaseIdBytes)));
  const auto end = std::chrono::system_clock::now() + kLeaseLifetime;
  (*request.mutable_labels())[kExpireLabel] = base::to_rfc3339(end);
  const auto response = co_await rpc::unary<leases_api::Leases, leases_api::CreateRequest, leases_api::CreateResponse>(
      client, "lease create", &LeasesAsync::Create, request);
  co_return Lease(client.with_lease(response.lease().id()));
}

base::Awaitable<void> Lease::add(std::string type, std::string resource_id) const {
  leases_api::AddResourceRequest request;
  request.set_id(id());
  request.mutable_resource()->set_type(type);
  request.mutable_resource()->set_id(resource_id);
  co_await rpc::unary<leases_api::Leases, leases_api::AddResourceRequest, Empty>(client_, "lease add",
                                                                                 &LeasesAsync::AddResource, request);
}

base::Awaitable<void> Lease::release() const { co_await remove(false); }

base::Awaitable<void> Lease::release_and_collect() const { co_await remove(true); }

base::Awaitable<void> Lease::remove(bool wait_for_collection) const {
  leases_api::DeleteRequest request;
  request.set_id(id());
  request.set_sync(wait_for_collection);
  try {
    co_await rpc::unary<leases_api::Leases, leases_api::DeleteRequest, Empty>(client_.with_lease(""), "lease delete",
                                                                              &LeasesAsync::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> Lease::list(ContainerdClient client) {
  leases_api::ListRequest request;
  const auto response = co_await rpc::unary<leases_api::Leases, leases_api::ListRequest, leases_api::ListResponse>(
      client, "lease list", &LeasesAsync::List, request);
  std::vector<std::string> ids;
  for (const auto& lease : response.leases()) ids.push_back(lease.id());
  co_return ids;
}

}  // namespace launcher
