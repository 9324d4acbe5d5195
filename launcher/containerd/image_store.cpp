#include "launcher/containerd/image_store.h"

#include <github.com/containerd/containerd/api/services/images/v1/images.grpc.pb.h>

#include "launcher/containerd/convert.h"
#include "launcher/containerd/rpc.h"

namespace launcher {
namespace {

namespace images_api = ::containerd::services::images::v1;
using ImagesAsync = images_api::Images::StubInterface::async_interface;
using google::protobuf::Empty;

}  // namespace

base::Awaitable<void> ImageStore::put(std::string name, oci::Descriptor target) const {
  images_api::CreateImageRequest create;
  create.mutable_image()->set_name(name);
  *create.mutable_image()->mutable_target() = rpc::to_message(target);
  try {
    co_await rpc::unary<images_api::Images, images_api::CreateImageRequest, images_api::CreateImageResponse>(
        client_, "image create", &ImagesAsync::Create, create);
    co_return;
  } catch (const ContainerdError& error) {
    if (!error.is_already_exists()) throw;
  }
  images_api::UpdateImageRequest update;
  *update.mutable_image() = create.image();
  update.mutable_update_mask()->add_paths("target");
  co_await rpc::unary<images_api::Images, images_api::UpdateImageRequest, images_api::UpdateImageResponse>(
      client_, "image update", &ImagesAsync::Update, update);
}

base::Awaitable<void> ImageStore::remove(std::string name) const {
  images_api::DeleteImageRequest request;
  request.set_name(name);
  request.set_sync(true);
  try {
    co_await rpc::unary<images_api::Images, images_api::DeleteImageRequest, Empty>(client_, "image delete",
                                                                                   &ImagesAsync::Delete, request);
  } catch (const ContainerdError& error) {
    if (!error.is_not_found()) throw;
  }
}

base::Awaitable<std::vector<std::string>> ImageStore::list() const {
  images_api::ListImagesRequest request;
  const auto response =
      co_await rpc::unary<images_api::Images, images_api::ListImagesRequest, images_api::ListImagesResponse>(
          client_, "image list", &ImagesAsync::List, request);
  std::vector<std::string> names;
  for (const auto& image : response.images()) names.push_back(image.name());
  co_return names;
}

}  // namespace launcher
