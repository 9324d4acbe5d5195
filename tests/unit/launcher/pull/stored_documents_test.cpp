#include "launcher/pull/stored_documents.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/image_world.h"
#include "tests/unit/launcher/support/tiny_image.h"
#include "tests/unit/support/run.h"

namespace launcher {
namespace {

base::Json entry_for(const oci::Descriptor& descriptor, const base::Json& platform = nullptr) {
  base::Json entry = {
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.string()}, {"size", descriptor.size}};
  if (!platform.is_null()) entry["platform"] = platform;
  return entry;
}

/// Serves an index under `tag`; returns its descriptor.
oci::Descriptor publish_index(test::FakeRegistry& registry, const std::string& tag,
                              const std::vector<base::Json>& entries) {
  base::Json index = {{"schemaVersion", 2}, {"mediaType", oci::kOciIndex}};
  index["manifests"] = entries;
  return registry.add_manifest(tag, std::string(oci::kOciIndex), index.dump());
}

/// An image's manifest alone, without the index before it.
oci::Descriptor publish_manifest(test::FakeRegistry& registry, const std::string& name, const test::TinyImage& image) {
  image.publish(registry, name);
  return registry.manifest(name + "-manifest");
}

base::Json platform_of(const char* os, const char* architecture, const char* variant = nullptr) {
  base::Json platform = {{"os", os}, {"architecture", architecture}};
  if (variant != nullptr) platform["variant"] = variant;
  return platform;
}

}  // namespace

TEST_CASE("of an index the entry is taken that containerd would take") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  const auto good = test::TinyImage::busybox({"/bin/busybox", "good"});
  const oci::Descriptor ours = publish_manifest(world.registry, "good", good);
  auto for_arm = test::TinyImage::busybox({"/bin/busybox", "other"});
  for_arm.architecture = "arm64";
  const oci::Descriptor theirs = publish_manifest(world.registry, "other", for_arm);
  const oci::Descriptor artifact = world.registry.add_manifest(
      "artifact", std::string(oci::kOciManifest),
      R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
          ours.digest.string() + R"(","size":2},"layers":[]})");
  SECTION("one without platform") { publish_index(world.registry, "latest", {entry_for(ours)}); }
  SECTION("one without platform behind others without that are for other machines, or no images") {
    publish_index(world.registry, "latest", {entry_for(theirs), entry_for(artifact), entry_for(ours)});
  }
  SECTION("one that every machine of its kind can run") {
    publish_index(
        world.registry, "latest",
        {entry_for(theirs, platform_of("linux", "amd64", "v4")), entry_for(ours, platform_of("linux", "amd64"))});
  }
  SECTION("the highest that the processor can run where there is no such") {
    world.options.platform.variant = "v2";
    publish_index(
        world.registry, "latest",
        {entry_for(theirs, platform_of("linux", "amd64", "v3")), entry_for(ours, platform_of("linux", "amd64", "v2"))});
  }
  SECTION("other words for the same machine") {
    publish_index(world.registry, "latest", {entry_for(ours, platform_of("Linux", "x86_64"))});
  }
  SECTION("in an index in an index") {
    const oci::Descriptor inner =
        publish_index(world.registry, "inner", {entry_for(ours, platform_of("linux", "amd64"))});
    const oci::Descriptor middle = publish_index(world.registry, "middle", {entry_for(inner)});
    const oci::Descriptor empty =
        publish_index(world.registry, "empty", {entry_for(theirs, platform_of("linux", "arm64"))});
    publish_index(world.registry, "latest", {entry_for(empty), entry_for(middle)});
  }
  const Image image = world.pull_tag("latest");
  CHECK(image.config.entrypoint.back() == "good");
  CHECK(image.manifest_digest == ours.digest);
  INFO("all that leads to the image is kept from garbage collection");
  const Lease other = test::run(world.context, Lease::create(world.containerd));
  test::run(world.context, other.release_and_collect());
  const ContentStore content(world.containerd);
  CHECK(test::run(world.context, content.find(ours.digest)));
  CHECK(test::run(world.context, content.find(image.config_digest)));
  CHECK(world.registry.count(theirs.digest.string()) <= 1);
}

TEST_CASE("an index that leads nowhere is refused with the reason, and within bounds") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto for_arm = test::TinyImage::busybox({"/bin/busybox", "other"});
  for_arm.architecture = "arm64";
  const oci::Descriptor theirs = publish_manifest(world.registry, "other", for_arm);
  SECTION("only variants beyond the processor") {
    world.options.platform.variant = "v2";
    publish_index(world.registry, "latest", {entry_for(theirs, platform_of("linux", "amd64", "v4"))});
    CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("no manifest for linux/amd64 v2, only for v4"));
  }
  SECTION("one without platform for another machine") {
    publish_index(world.registry, "latest", {entry_for(theirs)});
    CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("the image is not for linux/amd64"));
  }
  SECTION("nobody says for which machines it is") {
    auto silent = test::TinyImage::busybox({"/bin/busybox"});
    silent.change_config = [](base::Json& config) { config.erase("architecture"); };
    publish_index(world.registry, "latest", {entry_for(publish_manifest(world.registry, "silent", silent))});
    CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("architecture: is missing"));
  }
  SECTION("too many that may be meant") {
    const std::vector<base::Json> many(100, entry_for(theirs));
    publish_index(world.registry, "latest", many);
    CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("none of the first 16 manifests"));
    CHECK(world.registry.count("/manifests/") == 1 + oci::kMaxManifestsTried);
  }
  SECTION("too deep") {
    oci::Descriptor inner = theirs;
    for (std::size_t i = 0; i <= oci::kMaxIndexDepth; ++i) {
      inner = publish_index(world.registry, "latest", {entry_for(inner, platform_of("linux", "amd64"))});
    }
    CHECK_THROWS_WITH(world.pull_tag("latest"), ContainsSubstring("more than 4 deep"));
  }
  world.expect_nothing_left();
}

TEST_CASE("indexes may lie in each other as deep as the limit") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  oci::Descriptor inner = publish_manifest(world.registry, "good", test::TinyImage::busybox({"/bin/busybox"}));
  for (std::size_t i = 0; i < oci::kMaxIndexDepth; ++i) {
    inner = publish_index(world.registry, "latest", {entry_for(inner, platform_of("linux", "amd64"))});
  }
  CHECK(world.pull_tag("latest").target.digest == inner.digest);
}

TEST_CASE("of manifests that may be meant as many are looked at as the limit") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto for_arm = test::TinyImage::busybox({"/bin/busybox", "other"});
  for_arm.architecture = "arm64";
  const oci::Descriptor theirs = publish_manifest(world.registry, "other", for_arm);
  const oci::Descriptor ours = publish_manifest(world.registry, "good", test::TinyImage::busybox({"/bin/busybox"}));
  std::vector<base::Json> entries(oci::kMaxManifestsTried - 1, entry_for(theirs));
  entries.push_back(entry_for(ours));
  publish_index(world.registry, "latest", entries);
  CHECK(world.pull_tag("latest").manifest_digest == ours.digest);
}

TEST_CASE("a manifest that the reference names directly need not say for which machines it is") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  SECTION("nothing") {
    tiny.change_config = [](base::Json& config) {
      config.erase("architecture");
      config.erase("os");
    };
  }
  SECTION("in other words") {
    tiny.change_config = [](base::Json& config) {
      config["architecture"] = "x86_64";
      config["os"] = "Linux";
    };
  }
  SECTION("with a variant that is not known") {
    tiny.change_config = [](base::Json& config) { config["variant"] = "odd"; };
  }
  publish_manifest(world.registry, "x", tiny);
  CHECK_NOTHROW(world.pull_tag("x-manifest"));
}

TEST_CASE("an image that needs more than the processor has is refused before it is fetched") {
  if (test::containerd_is_missing()) return;
  test::ImageWorld world;
  world.options.platform.variant = "v2";
  auto tiny = test::TinyImage::busybox({"/bin/busybox"});
  tiny.change_config = [](base::Json& config) { config["variant"] = "v4"; };
  publish_manifest(world.registry, "x", tiny);
  CHECK_THROWS_WITH(world.pull_tag("x-manifest"), ContainsSubstring("needs a processor of v4"));
  CHECK(world.registry.count("/blobs/") == 1);
}

}  // namespace launcher
