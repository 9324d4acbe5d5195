#include "launcher/containerd/container.h"

#include <memory>

#include <github.com/containerd/containerd/api/services/tasks/v1/tasks.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

namespace api = ::containerd::services::tasks::v1;

constexpr std::uint32_t kExitStatus = 7;
constexpr base::RetryPolicy kThreeAttempts{
    .max_attempts = 3, .first_delay = base::Milliseconds{1}, .multiplier = 1.0, .max_delay = base::Milliseconds{1}};

/// A containerd that loses the wait for a task `outages` times, each outage of so many more calls, before the task
/// ends.
class FalteringTasks final : public api::Tasks::Service {
 public:
  int outages = 0;
  int calls_lost_in_each = 0;
  bool has_task = true;
  int waits = 0;

  grpc::Status Wait(grpc::ServerContext*, const api::WaitRequest*, api::WaitResponse* response) override {
    ++waits;
    if (outages == 0) {
      response->set_exit_status(kExitStatus);
      return grpc::Status::OK;
    }
    --outages;
    lost_calls_ = calls_lost_in_each;
    return lost();
  }
  grpc::Status Get(grpc::ServerContext*, const api::GetRequest*, api::GetResponse*) override {
    if (lost_calls_-- > 0) return lost();
    return has_task ? grpc::Status::OK : grpc::Status(grpc::StatusCode::NOT_FOUND, "no task");
  }

 private:
  static grpc::Status lost() { return {grpc::StatusCode::UNAVAILABLE, "going down"}; }

  int lost_calls_ = 0;
};

struct ContainerWorld {
  test::TemporaryDirectory directory;
  FalteringTasks tasks;
  std::unique_ptr<grpc::Server> server;
  asio::io_context context;

  std::uint32_t wait() {
    const std::filesystem::path socket = directory.path() / "socket";
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + socket.string(), grpc::InsecureServerCredentials());
    builder.RegisterService(&tasks);
    server = builder.BuildAndStart();
    const Container container(ContainerdClient(socket), {}, kThreeAttempts);
    return test::run(context, container.wait());
  }
};

}  // namespace

TEST_CASE("each outage of containerd has its own attempts, however many a container lives to see") {
  ContainerWorld world;
  world.tasks.outages = 20;
  world.tasks.calls_lost_in_each = kThreeAttempts.max_attempts - 1;
  CHECK(world.wait() == kExitStatus);
  CHECK(world.tasks.waits == 21);
}

TEST_CASE("a containerd that stays away is given up") {
  ContainerWorld world;
  world.tasks.outages = 1;
  world.tasks.calls_lost_in_each = kThreeAttempts.max_attempts;
  CHECK_THROWS_AS(world.wait(), ContainerdError);
  CHECK(world.tasks.waits == 1);
}

TEST_CASE("a task that is gone after an outage is an error, not an exit status") {
  ContainerWorld world;
  world.tasks.outages = 1;
  world.tasks.has_task = false;
  CHECK_THROWS_WITH(world.wait(), ContainsSubstring("tee-container is gone"));
}

TEST_CASE("a container that is not there can be removed, and nothing else be done with it") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  ContainerNames names;
  names.snapshotter = test::snapshotter();
  const Container container(world.client, names);
  CHECK(container.cgroups_path() == "/default/tee-container");
  CHECK_NOTHROW(world.run(container.remove()));
  CHECK_THROWS_WITH(world.run(container.expect_spec(base::Json::object())), ContainsSubstring("is gone"));
  CHECK_THROWS_AS(world.run(container.prepare_snapshot(oci::Digest::of({}))), ContainerdError);
  CHECK_THROWS_AS(world.run(container.create_task({})), ContainerdError);
  CHECK_THROWS_AS(world.run(container.start()), ContainerdError);
  CHECK_THROWS_AS(world.run(container.wait()), ContainerdError);
  CHECK_NOTHROW(world.run(container.kill(9)));
}

TEST_CASE("the spec's bytes are kept as they were given, and nothing replaces an existing container") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  ContainerNames names;
  names.snapshotter = test::snapshotter();
  const Container container(world.client, names);
  const base::Json spec = {{"ociVersion", "1.0.2"}, {"process", {{"args", {"/app", "\xc3\xa4 \"quoted\"\n"}}}}};
  world.run(container.create("image", spec));
  CHECK(test::spec_of(world.client, names.id) == spec.dump());
  CHECK_NOTHROW(world.run(container.expect_spec(spec)));
  CHECK_THROWS_AS(world.run(container.create("image", spec)), ContainerdError);

  INFO("another snapshot below the same spec is a change, too");
  ContainerNames others = names;
  others.snapshot = "other";
  CHECK_THROWS_WITH(world.run(Container(world.client, others).expect_spec(spec)), ContainsSubstring("was changed"));
  world.run(container.remove());
  CHECK_THROWS_WITH(world.run(container.expect_spec(spec)), ContainsSubstring("is gone"));
}

}  // namespace launcher
