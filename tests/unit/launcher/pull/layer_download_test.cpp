#include "launcher/pull/layer_download.h"

#include "oci/chain_id.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/image_world.h"
#include "tests/unit/launcher/support/tiny_image.h"
#include "tests/unit/support/run.h"

namespace launcher {

TEST_CASE("a layer that an image has several times is fetched once and unpacked as often as it stands") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  const std::string twin = test::make_tar({{"twin", std::string(std::size_t{3} << 20U, 'x')}});
  for (int i = 0; i < 3; ++i) tiny.layer_tars.push_back(twin);
  tiny.layer_tars.push_back(tiny.layer_tars.front());
  tiny.publish(world.registry, "latest");
  const Image image = world.pull_tag("latest");
  CHECK(world.registry.count(oci::Digest::of(base::view_of(test::gzip(twin))).string()) == 1);
  CHECK(world.registry.count("/blobs/") == 4);
  CHECK(test::run(world.context, Snapshotter(world.containerd, world.options.snapshotter).list()).size() == 6);
  CHECK(test::run(world.context, Lease::list(world.containerd)).empty());
  CHECK(test::run(world.context, ContentStore(world.containerd).list_ingests()).empty());
  std::vector<oci::Digest> diff_ids;
  for (const std::string& tar : tiny.layer_tars) diff_ids.push_back(oci::Digest::of(base::view_of(tar)));
  CHECK(image.chain_id == oci::chain_ids(diff_ids).back());
}

TEST_CASE("what another namespace of the same containerd has is taken from there, and stays when that goes") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  const auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  const oci::Descriptor index = tiny.publish(world.registry, "latest");
  const ContainerdClient other(world.daemon.socket(), "moby");
  const Lease lease = test::run(world.context, Lease::create(other));
  const ContentStore theirs(lease.client());
  std::vector<std::string> layers;
  for (const std::string& tar : tiny.layer_tars) {
    const std::string blob = test::gzip(tar);
    const oci::Descriptor layer{"x", oci::Digest::of(base::view_of(blob)), blob.size()};
    test::run(world.context, theirs.put(layer, blob, {}));
    layers.push_back(layer.digest.string());
  }
  SECTION("the layers") {}
  SECTION("the documents as well") {
    const auto copy = [&](const std::string& name) {
      const oci::Descriptor document = world.registry.manifest(name);
      test::run(world.context, theirs.put(document, world.registry.manifest_bytes(name), {}));
    };
    copy("latest");
    copy("latest-manifest");
  }
  const Image image = world.pull_tag("latest");
  CHECK(image.target.digest == index.digest);
  for (const std::string& layer : layers) CHECK(world.registry.count(layer) == 0);
  test::run(world.context, lease.release_and_collect());
  const ContentStore ours(world.containerd);
  for (const std::string& layer : layers) CHECK(test::run(world.context, ours.find(oci::Digest::parse(layer, "test"))));
  CHECK(test::run(world.context, ours.list_ingests()).empty());
}

}  // namespace launcher
