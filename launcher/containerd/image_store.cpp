#include "launcher/containerd/image_store.h"

#include <github.com/containerd/containerd/api/services/images/v1/images.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::images::v1;
using Async = api::Images::StubInterface::async_interface;
using google::protobuf::Empty;

}  // namespace

base::Awaitable<void> ImageStore::put(std::string name, oci::Descriptor target) const {
  api::CreateImageRequest create;
  create.mutable_image()->set_name(name);
  *create.mutable_image()->mutable_target() = rpc::to_message(target);
  try {
    co_await rpc::unary<api::Images, api::CreateImageRequest, api::CreateImageResponse>(client_, "image create",
                                                                                        &Async::Create, create);
    co_return;
  } catch (const ContainerdError& error) {
    if (!error.is_already_exists()) throw;
  }
  api::UpdateImageRequest update;
  *update.mutable_image() = create.image();
  update.mutable_update_mask()->add_paths("target");
  co_await rpc::unary<api::Images, api::UpdateImageRequest, api::UpdateImageResponse>(client_, "image update",
                                                                                      &Async::Update, update);
}

base::Awaitable<void> ImageStore::remove(std::string name) const {
  api::DeleteImageRequest request;
  request.set_name(name);
  request.set_sync(true);
  try {
    co_await rpc::unary<api::Images, api::DeleteImageRequest, Empty>(client_, "image delete", &Async::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> ImageStore::list() const {
  api::ListImagesRequest request;
  const auto response = co_await rpc::unary<api::Images, api::ListImagesRequest, api::ListImagesResponse>(
      client_, "image list", &Async::List, request);
  std::vector<std::string> names;
  for (const auto& image : response.images()) names.push_back(image.name());
  co_return names;
}

}  // namespace launcher
