#include "launcher/containerd/content_store.h"

#include <iostream>

#include "launcher/containerd/lease.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_daemon.h"
#include "tests/unit/launcher/support/run.h"

namespace launcher {
namespace {

Descriptor describe(const std::string& bytes) {
  return {"application/x", Digest::of(base::view_of(bytes)), bytes.size()};
}

base::Awaitable<void> write_and_commit(ContentStore store, Descriptor descriptor, std::string bytes) {
  ContentWriter writer = co_await store.open("ref", descriptor);
  co_await writer.write(base::view_of(bytes));
  Labels labels;
  co_await writer.commit(std::move(labels));
}

base::Awaitable<void> write_and_abandon(ContentStore store, Descriptor descriptor, std::string bytes) {
  ContentWriter writer = co_await store.open("ref", descriptor);
  co_await writer.write(base::view_of(bytes));
  co_await writer.abandon();
}

}  // namespace

TEST_CASE("the content store takes what has the right digest, and only that") {
  const std::string reason = test::ContainerdDaemon::why_not();
  if (!reason.empty()) {
    std::cout << "skipped: " << reason << "\n";
    return;
  }
  test::ContainerdDaemon daemon;
  asio::io_context context;
  const ContainerdClient client(daemon.socket());
  CHECK_FALSE(test::run(context, client.version()).empty());
  const Lease lease = test::run(context, Lease::create(client));
  const ContentStore store(lease.client());
  const std::string bytes((std::size_t{2} << 20U) + 5, 'x');
  const Descriptor descriptor = describe(bytes);
  CHECK_FALSE(test::run(context, store.find(descriptor.digest)).has_value());

  SECTION("a blob is written, found, read and not written again") {
    const Labels labels = {{"containerd.io/gc.ref.content.0", descriptor.digest.string()}};
    test::run(context, store.put(descriptor, bytes, labels));
    CHECK(test::run(context, store.find(descriptor.digest)) == bytes.size());
    CHECK(test::run(context, store.read(descriptor.digest, bytes.size())) == bytes);
    CHECK_THROWS_AS(test::run(context, store.read(descriptor.digest, bytes.size() - 1)), base::InvalidInput);
    test::run(context, store.put(descriptor, bytes, labels));
    CHECK(test::run(context, store.list_blobs()).size() == 1);
    test::run(context, lease.release_and_collect());
    CHECK(test::run(context, store.list_blobs()).empty());
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

}  // namespace launcher
