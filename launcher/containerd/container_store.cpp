#include "launcher/containerd/container_store.h"

#include <github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h>

#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace containers_api = ::containerd::services::containers::v1;
using ContainersAsync = containers_api::Containers::StubInterface::async_interface;
using google::protobuf::Empty;

constexpr auto kSpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

ContainerRecord from_message(const containers_api::Container& message) {
  return {message.id(),          message.image(),        message.runtime().name(),
          message.snapshotter(), message.snapshot_key(), message.spec().value()};
}

base::Awaitable<containers_api::GetContainerResponse> get(ContainerdClient client, std::string id) {
  containers_api::GetContainerRequest request;
  request.set_id(id);
  co_return co_await rpc::unary<containers_api::Containers, containers_api::GetContainerRequest,
                                containers_api::GetContainerResponse>(client, "container get", &ContainersAsync::Get,
                                                                      request);
}

}  // namespace

base::Awaitable<void> ContainerStore::create(ContainerRecord record) const {
  containers_api::CreateContainerRequest request;
  containers_api::Container& container = *request.mutable_container();
  container.set_id(record.id);
  container.set_image(record.image);
  container.mutable_runtime()->set_name(record.runtime);
  container.set_snapshotter(record.snapshotter);
  container.set_snapshot_key(record.snapshot_key);
  container.mutable_spec()->set_type_url(kSpecType);
  container.mutable_spec()->set_value(record.spec);
  co_await rpc::unary<containers_api::Containers, containers_api::CreateContainerRequest,
                      containers_api::CreateContainerResponse>(client_, "container create", &ContainersAsync::Create,
                                                               request);
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
  containers_api::DeleteContainerRequest request;
  request.set_id(id);
  try {
    co_await rpc::unary<containers_api::Containers, containers_api::DeleteContainerRequest, Empty>(
        client_, "container delete", &ContainersAsync::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> ContainerStore::list() const {
  containers_api::ListContainersRequest request;
  const auto response = co_await rpc::unary<containers_api::Containers, containers_api::ListContainersRequest,
                                            containers_api::ListContainersResponse>(client_, "container list",
                                                                                    &ContainersAsync::List, request);
  std::vector<std::string> ids;
  for (const auto& container : response.containers()) ids.push_back(container.id());
  co_return ids;
}

}  // namespace launcher
