#include "launcher/containerd/content_store.h"

#include "launcher/containerd/lease.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_daemon.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/launcher/support/fake_containerd.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/skip.h"

namespace launcher {
namespace {

using test::describe;

base::Awaitable<void> write_and_commit(ContentStore store, oci::Descriptor descriptor, std::string bytes) {
  ContentWriter writer = co_await store.open("ref", descriptor);
  co_await writer.write(base::view_of(bytes));
  ContentLabels labels;
  co_await writer.commit(std::move(labels));
}

/// Goes on with a writer whose stream has failed: only giving it up is fine then.
base::Awaitable<void> use_behind_a_failure(ContentStore store, oci::Descriptor descriptor, std::string bytes) {
  ContentWriter writer = co_await store.open("ref", descriptor);
  bool failed = false;
  try {
    co_await writer.write(base::view_of(bytes));
    ContentLabels labels;
    co_await writer.commit(std::move(labels));
  } catch (const ContainerdError&) {
    failed = true;
  }
  if (!failed) co_return;
  co_await writer.abandon();
  co_await writer.write(base::view_of(bytes));
}

base::Awaitable<void> put_twice(ContentStore store, oci::Descriptor descriptor, std::string bytes) {
  const auto executor = co_await asio::this_coro::executor;
  base::TaskGroup group(executor);
  for (int i = 0; i < 2; ++i) group.spawn(store.put(descriptor, bytes, {}));
  co_await group.join();
}

base::Awaitable<void> write_and_abandon(ContentStore store, oci::Descriptor descriptor, std::string bytes) {
  ContentWriter writer = co_await store.open("ref", descriptor);
  co_await writer.write(base::view_of(bytes));
  co_await writer.abandon();
}

}  // namespace

TEST_CASE("the content store takes what has the right digest, and only that") {
  if (test::skips(test::ContainerdDaemon::why_not())) return;
  test::ContainerdDaemon daemon;
  asio::io_context context;
  const ContainerdClient client(daemon.socket());
  CHECK_FALSE(test::run(context, client.version()).empty());
  const Lease lease = test::run(context, Lease::create(client));
  const ContentStore store(lease.client());
  const std::string bytes((std::size_t{2} << 20U) + 5, 'x');
  const oci::Descriptor descriptor = describe(bytes);
  CHECK_FALSE(test::run(context, store.find(descriptor.digest)).has_value());

  SECTION("a blob is written, found, read and not written again") {
    const ContentLabels labels = {{"containerd.io/gc.ref.content.0", descriptor.digest.string()}};
    test::run(context, store.put(descriptor, bytes, labels));
    CHECK(test::run(context, store.find(descriptor.digest)) == bytes.size());
    CHECK(test::run(context, store.read(descriptor.digest, bytes.size())) == bytes);
    CHECK_THROWS_AS(test::run(context, store.read(descriptor.digest, bytes.size() - 1)), base::InvalidInput);
    test::run(context, store.put(descriptor, bytes, labels));
    CHECK(test::blobs_of(client).size() == 1);
    test::run(context, lease.release_and_collect());
    CHECK(test::blobs_of(client).empty());
  }
  SECTION("other bytes are refused") {
    CHECK_THROWS_AS(test::run(context, write_and_commit(store, descriptor, std::string(bytes.size(), 'y'))),
                    ContainerdError);
    CHECK_FALSE(test::run(context, store.find(descriptor.digest)).has_value());
    test::run(context, store.abort("ref"));
  }
  SECTION("an unfinished blob can be begun anew") {
    test::run(context, write_and_abandon(store, descriptor, "part"));
    CHECK(test::run(context, store.list_ingests()).size() == 1);
    test::run(context, write_and_commit(store, descriptor, bytes));
    CHECK(test::run(context, store.read(descriptor.digest, bytes.size())) == bytes);
  }
  CHECK(test::run(context, store.list_ingests()).empty());
  test::run(context, lease.release());
  CHECK(test::run(context, Lease::list(client)).empty());
}

TEST_CASE("a blob that another namespace has wants only the commit") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const std::string bytes((std::size_t{2} << 20U) + 5, 'x');
  const oci::Descriptor blob = describe(bytes);
  const ContainerdClient other(world.daemon.socket(), "moby");
  const Lease other_lease = world.run(Lease::create(other));
  world.run(ContentStore(other_lease.client()).put(blob, bytes, {}));
  const Lease lease = world.run(Lease::create(world.client));
  const ContentStore store(lease.client());
  REQUIRE_FALSE(world.run(store.find(blob.digest)).has_value());

  SECTION("by open and commit") {
    ContentWriter writer = world.run(store.open("ref", blob));
    CHECK_FALSE(writer.wants_bytes());
    CHECK_FALSE(writer.is_present());
    world.run(writer.commit({}));
    CHECK(world.run(store.find(blob.digest)) == bytes.size());
  }
  SECTION("by put") {
    world.run(store.put(blob, bytes, {}));
    CHECK(world.run(store.find(blob.digest)) == bytes.size());
  }
  SECTION("bytes that are written all the same do no harm") {
    world.run(write_and_commit(store, blob, bytes));
    CHECK(world.run(store.find(blob.digest)) == bytes.size());
  }
  SECTION("given up, it is not ours") {
    world.run(write_and_abandon(store, blob, bytes));
    CHECK_FALSE(world.run(store.find(blob.digest)).has_value());
    world.run(store.abort("ref"));
  }
  CHECK(world.run(store.list_ingests()).empty());
}

TEST_CASE("a blob that another client finishes meanwhile is there") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const std::string bytes = "the bytes of a blob";
  const oci::Descriptor blob = describe(bytes);
  const Lease lease = world.run(Lease::create(world.client));
  const ContentStore store(lease.client());
  ContentWriter writer = world.run(store.open("ref", blob));
  CHECK(writer.wants_bytes());
  SECTION("before a write") {
    world.run(store.put(blob, bytes, {}));
    world.run(writer.write(base::view_of(bytes)));
    CHECK(writer.is_present());
    CHECK_FALSE(writer.wants_bytes());
    world.run(writer.write(base::view_of(bytes)));
  }
  SECTION("before the commit") {
    world.run(writer.write(base::view_of(bytes)));
    world.run(store.put(blob, bytes, {}));
  }
  world.run(writer.commit({}));
  world.run(writer.commit({}));
  world.run(writer.abandon());
  CHECK(writer.is_present());
  CHECK(world.run(store.find(blob.digest)) == bytes.size());
  CHECK(world.run(store.list_ingests()).empty());
}

TEST_CASE("two that put the same blob at the same time do not stand in each other's way") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const std::string bytes((std::size_t{4} << 20U) + 5, 'x');
  const oci::Descriptor blob = describe(bytes);
  const Lease lease = world.run(Lease::create(world.client));
  const ContentStore store(lease.client());
  world.run(put_twice(store, blob, bytes));
  CHECK(test::blobs_of(world.client).size() == 1);
  CHECK(world.run(store.list_ingests()).empty());
}

TEST_CASE("a stream that has ended is not written to again, whenever it ends") {
  const std::string bytes((std::size_t{2} << 20U) + 5, 'x');  // the stream's requests: STAT, three of WRITE, COMMIT
  const oci::Descriptor blob = describe(bytes);
  for (int request = 1; request <= 5; ++request) {
    INFO("at request " << request);
    test::FakeContainerd containerd;
    asio::io_context context;
    const ContentStore store(ContainerdClient(containerd.socket()));
    containerd.end("Content/Write", {grpc::StatusCode::ALREADY_EXISTS, "there"}, request);
    CHECK_NOTHROW(test::run(context, write_and_commit(store, blob, bytes)));
    CHECK_NOTHROW(test::run(context, write_and_abandon(store, blob, bytes)));
    CHECK_NOTHROW(test::run(context, store.put(blob, bytes, {{"label", "value"}})));
    CHECK(containerd.calls("Content/Update") == 1);

    containerd.end("Content/Write", {grpc::StatusCode::UNAVAILABLE, "going down"}, request);
    CHECK_THROWS_AS(test::run(context, write_and_commit(store, blob, bytes)), ContainerdError);
    INFO("an end without a reason is no success either");
    containerd.end("Content/Write", grpc::Status::OK, request);
    CHECK_THROWS_AS(test::run(context, write_and_commit(store, blob, bytes)), ContainerdError);
    CHECK_THROWS_AS(test::run(context, use_behind_a_failure(store, blob, bytes)), base::Error);
  }
}

TEST_CASE("ingests have names that are recognisably ours, and each its own") {
  CHECK(new_ingest_ref().starts_with(kOwnNames));
  CHECK(new_ingest_ref() != new_ingest_ref());
}

}  // namespace launcher
