#include "tests/unit/launcher/support/containerd_contents.h"

#include <github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h>
#include <github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include "launcher/containerd/rpc.h"

namespace test {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace content = ::containerd::services::content::v1;

containers::Container container_of(const launcher::ContainerdClient& client, const std::string& id) {
  grpc::ClientContext context;
  launcher::rpc::prepare(context, client);
  containers::GetContainerRequest request;
  request.set_id(id);
  containers::GetContainerResponse response;
  const auto stub = containers::Containers::NewStub(client.connection().channel);
  launcher::rpc::check(stub->Get(&context, request, &response), "container get");
  return response.container();
}

}  // namespace

std::vector<std::string> blobs_of(const launcher::ContainerdClient& client) {
  grpc::ClientContext context;
  launcher::rpc::prepare(context, client);
  const auto stub = content::Content::NewStub(client.connection().channel);
  const auto reader = stub->List(&context, content::ListContentRequest());
  std::vector<std::string> digests;
  content::ListContentResponse part;
  while (reader->Read(&part)) {
    for (const auto& info : part.info()) digests.push_back(info.digest());
  }
  launcher::rpc::check(reader->Finish(), "content list");
  return digests;
}

std::vector<std::string> label_names_of(const launcher::ContainerdClient& client, const std::string& id) {
  std::vector<std::string> names;
  const containers::Container container = container_of(client, id);
  for (const auto& label : container.labels()) names.push_back(label.first);
  return names;
}

std::string spec_of(const launcher::ContainerdClient& client, const std::string& id) {
  return container_of(client, id).spec().value();
}

}  // namespace test
