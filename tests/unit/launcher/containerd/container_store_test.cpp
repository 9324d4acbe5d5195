#include "launcher/containerd/container_store.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {

TEST_CASE("a container's record is kept as it was given, without labels, until it is removed") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ContainerStore containers(world.client);
  const std::string id = "some-container";
  CHECK_FALSE(world.run(containers.find(id)).has_value());
  CHECK(world.run(containers.list()).empty());

  const ContainerRecord record{id,    "registry.example/a:b",          "io.containerd.runc.v2", test::snapshotter(),
                               "key", "{ \"ociVersion\" : \"1.0.2\" }"};
  world.run(containers.create(record));
  CHECK(world.run(containers.list()) == std::vector<std::string>{id});
  CHECK(test::label_names_of(world.client, id).empty());
  const auto found = world.run(containers.find(id));
  REQUIRE(found.has_value());
  CHECK(found->id == record.id);
  CHECK(found->image == record.image);
  CHECK(found->runtime == record.runtime);
  CHECK(found->snapshotter == record.snapshotter);
  CHECK(found->snapshot_key == record.snapshot_key);
  CHECK(found->spec == record.spec);
  CHECK_THROWS_AS(world.run(containers.create(record)), ContainerdError);

  world.run(containers.remove(id));
  CHECK_FALSE(world.run(containers.find(id)).has_value());
  CHECK_NOTHROW(world.run(containers.remove(id)));
}

TEST_CASE("a container's name that is none is refused") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ContainerStore containers(world.client);
  for (const char* id : {"", "../x", "a/b", "a b"}) {
    INFO(id);
    CHECK_THROWS_AS(world.run(containers.create({id, "", "io.containerd.runc.v2", test::snapshotter(), "key", "{}"})),
                    ContainerdError);
  }
  CHECK(world.run(containers.list()).empty());
}

}  // namespace launcher
