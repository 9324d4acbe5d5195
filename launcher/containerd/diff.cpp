#include "launcher/containerd/diff.h"

#include <github.com/containerd/containerd/api/services/diff/v1/diff.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {

namespace api = ::containerd::services::diff::v1;

base::Awaitable<oci::Descriptor> apply_layer(ContainerdClient client, oci::Descriptor layer,
                                             std::vector<Mount> mounts) {
  api::ApplyRequest request;
  *request.mutable_diff() = rpc::to_message(layer);
  for (const Mount& mount : mounts) *request.add_mounts() = rpc::to_message(mount);
  const auto response = co_await rpc::unary<api::Diff, api::ApplyRequest, api::ApplyResponse>(
      client, "layer apply", &api::Diff::StubInterface::async_interface::Apply, request, kLayerCallTimeout);
  co_return rpc::from_message(response.applied());
}

}  // namespace launcher
