#include "launcher/containerd/image_store.h"

#include "launcher/containerd/lease.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {

TEST_CASE("an image's record keeps what it points to, and moves when it is put again") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ImageStore images(world.client);
  const ContentStore content(world.client);
  const Lease lease = world.run(Lease::create(world.client));
  const oci::Descriptor first = test::put_blob(world.context, lease.client(), "first");
  const oci::Descriptor second = test::put_blob(world.context, lease.client(), "second");
  const std::string name = "registry.example/a:b";
  CHECK(world.run(images.list()).empty());

  world.run(images.put(name, first));
  CHECK(world.run(images.list()) == std::vector<std::string>{name});
  SECTION("put once") {
    world.run(lease.release_and_collect());
    CHECK(test::blobs_of(world.client) == std::vector<std::string>{first.digest.string()});
  }
  SECTION("put again") {
    world.run(images.put(name, second));
    CHECK(world.run(images.list()) == std::vector<std::string>{name});
    world.run(lease.release_and_collect());
    CHECK(test::blobs_of(world.client) == std::vector<std::string>{second.digest.string()});
  }
  SECTION("removed, which may be done twice") {
    world.run(lease.release());
    world.run(images.remove(name));
    CHECK(world.run(images.list()).empty());
    CHECK(test::blobs_of(world.client).empty());
    CHECK_NOTHROW(world.run(images.remove(name)));
  }
}

TEST_CASE("images of one containerd namespace are unknown to another") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ContainerdClient other(world.daemon.socket(), "other");
  CHECK(other.containerd_namespace() == "other");
  const Lease lease = world.run(Lease::create(world.client));
  world.run(ImageStore(world.client).put("a", test::put_blob(world.context, lease.client(), "x")));
  CHECK(world.run(ImageStore(other).list()).empty());
  CHECK(world.run(Lease::list(other)).empty());
}

}  // namespace launcher
