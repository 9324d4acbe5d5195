#include "launcher/containerd/container_store.h"

#include <github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h>

#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::containers::v1;
using Async = api::Containers::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr auto kSpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

ContainerRecord from_message(const api::Container& message) {
  return {message.id(),          message.image(),        message.runtime().name(),
          message.snapshotter(), message.snapshot_key(), message.spec().value()};
}

base::Awaitable<api::GetContainerResponse> get(ContainerdClient client, std::string id) {
  api::GetContainerRequest request;
  request.set_id(id);
  co_return co_await rpc::unary<api::Containers, api::GetContainerRequest, api::GetContainerResponse>(
      client, "container get", &Async::Get, request);
}

}  // namespace

base::Awaitable<void> ContainerStore::create(ContainerRecord record) const {
  api::CreateContainerRequest request;
  api::Container& container = *request.mutable_container();
  container.set_id(record.id);
  container.set_image(record.image);
  container.mutable_runtime()->set_name(record.runtime);
  container.set_snapshotter(record.snapshotter);
  container.set_snapshot_key(record.snapshot_key);
  container.mutable_spec()->set_type_url(kSpecType);
  container.mutable_spec()->set_value(record.spec);
  co_await rpc::unary<api::Containers, api::CreateContainerRequest, api::CreateContainerResponse>(
      client_, "container create", &Async::Create, request);
}

base::Awaitable<std::optional<ContainerRecord>> ContainerStore::find(std::string id) const {
  try {
    const auto response = co_await get(client_, id);
    co_return from_message(response.container());
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
  co_return std::nullopt;
}

base::Awaitable<void> ContainerStore::remove(std::string id) const {
  api::DeleteContainerRequest request;
  request.set_id(id);
  try {
    co_await rpc::unary<api::Containers, api::DeleteContainerRequest, Empty>(client_, "container delete",
                                                                             &Async::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> ContainerStore::list() const {
  api::ListContainersRequest request;
  const auto response = co_await rpc::unary<api::Containers, api::ListContainersRequest, api::ListContainersResponse>(
      client_, "container list", &Async::List, request);
  std::vector<std::string> ids;
  for (const auto& container : response.containers()) ids.push_back(container.id());
  co_return ids;
}

}  // namespace launcher
