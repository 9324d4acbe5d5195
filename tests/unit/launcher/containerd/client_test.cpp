#include "launcher/containerd/client.h"

#include <grpc/grpc.h>

#include "launcher/containerd/image_store.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {

TEST_CASE("a socket where nobody answers is an error that asks for a restart, not a hang") {
  asio::io_context context;
  const ContainerdClient client("/run/cs-launcher-no-such-socket");
  try {
    test::run(context, client.version());
    FAIL("no error");
  } catch (const ContainerdError& error) {
    CHECK(error.is_unavailable());
    CHECK(error.action() == base::Action::kRestart);
  }
  CHECK_THROWS_AS(ContainerdClient("relative/socket"), base::Error);
}

TEST_CASE("the last client to go does not wait for the end of gRPC's own polls") {
  { const ContainerdClient client("/run/cs-launcher-no-such-socket"); }
  CHECK(grpc_is_initialized() != 0);
}

TEST_CASE("only lost connections ask for a restart") {
  constexpr int kDeadlineExceeded = 4;
  constexpr int kNotFound = 5;
  constexpr int kAlreadyExists = 6;
  constexpr int kUnavailable = 14;
  CHECK(ContainerdError("x", kUnavailable, "y").action() == base::Action::kRestart);
  CHECK(ContainerdError("x", kDeadlineExceeded, "y").action() == base::Action::kRestart);
  CHECK(ContainerdError("x", kNotFound, "y").action() == base::Action::kGiveUp);
  CHECK(ContainerdError("x", kNotFound, "y").is_not_found());
  CHECK(ContainerdError("x", kAlreadyExists, "y").is_already_exists());
  CHECK_THAT(ContainerdError("task start", kNotFound, "y").what(), ContainsSubstring("containerd task start: y"));
}

TEST_CASE("a client names its containerd namespace and its lease with every call") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  CHECK_FALSE(world.run(world.client.version()).empty());
  CHECK(world.client.containerd_namespace() == "default");
  CHECK(world.client.lease_id().empty());

  const ContainerdClient leased = world.client.with_lease("no-such-lease");
  CHECK(leased.lease_id() == "no-such-lease");
  CHECK(world.client.lease_id().empty());
  INFO("containerd refuses to make something under a lease that it does not have");
  CHECK_THROWS_AS(test::put_blob(world.context, leased, "x"), ContainerdError);

  const ContainerdClient nameless(world.daemon.socket(), "");
  CHECK_THROWS_AS(world.run(ImageStore(nameless).list()), ContainerdError);
}

}  // namespace launcher
