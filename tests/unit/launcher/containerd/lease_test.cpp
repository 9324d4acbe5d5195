#include "launcher/containerd/lease.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {

TEST_CASE("a lease keeps what is made under it for as long as it is there, and no longer") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const Lease lease = world.run(Lease::create(world.client));
  CHECK(lease.client().lease_id() == lease.id());
  CHECK(world.run(Lease::list(world.client)) == std::vector<std::string>{lease.id()});
  test::put_blob(world.context, lease.client(), "kept");

  SECTION("by the lease alone") {
    // The end of another lease lets containerd collect its garbage.
    const Lease other = world.run(Lease::create(world.client));
    CHECK(other.id() != lease.id());
    test::put_blob(world.context, other.client(), "not kept");
    world.run(other.release_and_collect());
    CHECK(test::blobs_of(world.client) == std::vector<std::string>{test::describe("kept").digest.string()});
  }
  SECTION("by a second lease that it was added to") {
    const Lease second = world.run(Lease::create(world.client));
    world.run(second.add("content", test::describe("kept").digest.string()));
    world.run(lease.release_and_collect());
    CHECK(test::blobs_of(world.client).size() == 1);
    world.run(second.release_and_collect());
    CHECK(test::blobs_of(world.client).empty());
  }
  SECTION("through a restart of containerd") {
    world.daemon.restart();
    const ContainerdClient again(world.daemon.socket());
    CHECK(world.run(Lease::list(again)) == std::vector<std::string>{lease.id()});
    CHECK(test::blobs_of(again).size() == 1);
  }
}

TEST_CASE("a lease that is gone can be released again, but keeps nothing more") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const Lease lease = world.run(Lease::create(world.client));
  world.run(lease.release());
  CHECK(world.run(Lease::list(world.client)).empty());
  CHECK_NOTHROW(world.run(lease.release()));
  CHECK_NOTHROW(world.run(lease.release_and_collect()));
  CHECK_THROWS_AS(world.run(lease.add("content", test::describe("x").digest.string())), ContainerdError);
}

}  // namespace launcher
