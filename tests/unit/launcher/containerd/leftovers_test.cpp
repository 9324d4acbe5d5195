#include "launcher/containerd/leftovers.h"

#include "launcher/containerd/content_store.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/snapshotter.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {
namespace {

/// A lease and what a pull has under it when it is killed: a blob, an ingest, and a layer that is being unpacked.
base::Awaitable<void> be_killed_in_a_pull(ContainerdClient client, oci::Descriptor done, std::string bytes,
                                          oci::Descriptor not_done) {
  const Lease lease = co_await Lease::create(client);
  const ContentStore content(lease.client());
  co_await content.put(done, bytes, {});
  ContentWriter writer = co_await content.open(new_ingest_ref(), not_done);
  co_await writer.write(base::view_of(bytes));
  co_await writer.abandon();
  const Snapshotter snapshots(lease.client(), test::snapshotter());
  co_await snapshots.prepare("extract-" + bytes, "", {});
}

}  // namespace

TEST_CASE("what launches that were killed have left is removed before anything else happens") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ContentStore content(world.client);
  const Snapshotter snapshots(world.client, test::snapshotter());
  world.run(remove_leftovers(world.client));
  for (const char* launch : {"first", "second"}) {
    const std::string bytes = launch;
    world.run(be_killed_in_a_pull(world.client, test::describe(bytes), bytes, test::describe(bytes + " more")));
  }
  ContentWriter unleased = world.run(content.open(new_ingest_ref(), test::describe("of no lease")));
  world.run(unleased.abandon());
  REQUIRE(world.run(Lease::list(world.client)).size() == 2);
  REQUIRE(world.run(content.list_ingests()).size() == 3);
  REQUIRE(test::blobs_of(world.client).size() == 2);
  REQUIRE(world.run(snapshots.list()).size() == 2);

  world.run(remove_leftovers(world.client));
  CHECK(world.run(Lease::list(world.client)).empty());
  CHECK(world.run(content.list_ingests()).empty());
  CHECK(test::blobs_of(world.client).empty());
  CHECK(world.run(snapshots.list()).empty());
}

TEST_CASE("what belongs to others stays") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const ContainerdClient other(world.daemon.socket(), "moby");
  const Lease lease = world.run(Lease::create(other));
  test::put_blob(world.context, lease.client(), "of another namespace");
  const ContentStore content(world.client);
  ContentWriter foreign = world.run(content.open("somebody-else", test::describe("x")));
  world.run(foreign.abandon());
  world.run(remove_leftovers(world.client));
  CHECK(world.run(Lease::list(other)) == std::vector<std::string>{lease.id()});
  CHECK(test::blobs_of(other).size() == 1);
  CHECK(world.run(content.list_ingests()) == std::vector<std::string>{"somebody-else"});
}

}  // namespace launcher
