#include "launcher/containerd/diff.h"

#include <optional>

#include "base/file.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/snapshotter.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/launcher/support/tiny_image.h"

namespace launcher {
namespace {

constexpr auto kTar = "application/vnd.oci.image.layer.v1.tar";
constexpr auto kGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr auto kZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

struct DiffWorld : test::ContainerdWorld {
  Lease lease = run(Lease::create(client));
  Snapshotter snapshots{lease.client(), test::snapshotter()};
  std::vector<Mount> mounts = run(snapshots.prepare("key", "", {}));

  oci::Descriptor put(const std::string& bytes, const char* type) {
    return test::put_blob(context, lease.client(), bytes, type);
  }
  oci::Descriptor apply(const oci::Descriptor& layer) { return run(apply_layer(lease.client(), layer, mounts)); }
  std::filesystem::path files() const { return mounts.at(0).source; }
};

}  // namespace

TEST_CASE("a layer is unpacked, and its uncompressed archive described") {
  if (test::containerd_is_missing()) return;
  DiffWorld world;
  const std::string tar = test::make_tar({{"folder/", "", '5'}, {"folder/file", "content"}});
  std::optional<oci::Descriptor> layer;
  SECTION("tar") { layer = world.put(tar, kTar); }
  SECTION("tar+gzip") { layer = world.put(test::gzip(tar), kGzip); }
  SECTION("tar+zstd") { layer = world.put(test::zstd(tar), kZstd); }
  const oci::Descriptor applied = world.apply(*layer);
  CHECK(applied.digest == oci::Digest::of(base::view_of(tar)));
  CHECK(applied.size == tar.size());
  CHECK(base::read_text_file(world.files() / "folder/file", 100) == "content");
}

TEST_CASE("nothing of a layer gets out of its snapshot") {
  if (test::containerd_is_missing()) return;
  DiffWorld world;
  const std::filesystem::path outside = world.daemon.folder() / "outside";
  std::filesystem::create_directory(outside);
  const std::string tar = test::make_tar({{"../../../../../up", "x"},
                                          {"/absolute", "x"},
                                          {"link", "", '2', 0777, outside.string()},
                                          {"link/through", "x"}});
  try {
    world.apply(world.put(tar, kTar));
  } catch (const ContainerdError&) {
    SUCCEED("refused as a whole");
  }
  CHECK(std::filesystem::is_empty(outside));
  CHECK_FALSE(std::filesystem::exists("/absolute"));
  for (std::filesystem::path up = world.files().parent_path(); up != "/"; up = up.parent_path()) {
    CHECK_FALSE(std::filesystem::exists(up / "up"));
  }
}

TEST_CASE("a layer that is no archive, cut off or absent is refused") {
  if (test::containerd_is_missing()) return;
  DiffWorld world;
  const std::string tar = test::make_tar({{"file", std::string(4096, 'x')}});
  CHECK_THROWS_AS(world.apply(world.put("neither gzip nor tar", kGzip)), ContainerdError);
  CHECK_THROWS_AS(world.apply(world.put(tar.substr(0, 1024), kTar)), ContainerdError);
  CHECK_THROWS_AS(world.apply(world.put(test::gzip(tar).substr(0, 40), kGzip)), ContainerdError);
  CHECK_THROWS_AS(world.apply(test::describe("absent", kTar)), ContainerdError);
  CHECK_THROWS_AS(world.apply(world.put(tar, "application/x")), ContainerdError);
}

}  // namespace launcher
