#include "launcher/containerd/diff.h"

#include <github.com/containerd/containerd/api/services/diff/v1/diff.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {

namespace diff_api = ::containerd::services::diff::v1;

base::Awaitable<oci::Descriptor> apply_layer(ContainerdClient client, oci::Descriptor layer,
                                             std::vector<Mount> mounts) {
  diff_api::ApplyRequest request;
  *request.mutable_diff() = rpc::to_message(layer);
  for (const Mount& mount : mounts) *request.add_mounts() = rpc::to_message(mount);
  const auto response = co_await rpc::unary<diff_api::Diff, diff_api::ApplyRequest, diff_api::ApplyResponse>(
      client, "layer apply", &diff_api::Diff::StubInterface::async_interface::Apply, request, kLayerCallTimeout);
  co_return rpc::from_message(response.applied());
}

}  // namespace launcher
