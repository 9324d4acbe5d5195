#include "launcher/containerd/task.h"

#include <algorithm>
#include <csignal>
#include <fstream>

#include <sys/resource.h>

#include "base/file.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/containerd/container_store.h"
#include "launcher/containerd/diff.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/snapshotter.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/launcher/support/tiny_image.h"

namespace launcher {
namespace {

constexpr auto kId = "tee-container";  // whose mounts the daemon's destructor knows
constexpr base::Milliseconds kNoTimeout{0};
constexpr base::Milliseconds kShort{1};
constexpr std::uint32_t kKilled = 128 + SIGKILL;

/// A container with busybox whose task is still to be made.
struct TaskWorld : test::ContainerdWorld {
  Lease lease = run(Lease::create(client));
  std::vector<Mount> rootfs;
  TaskService tasks{client};

  explicit TaskWorld(const std::string& script) {
    const Snapshotter snapshots(lease.client(), test::snapshotter());
    rootfs = run(snapshots.prepare("key", "", {}));
    const auto layer = test::put_blob(context, lease.client(), test::TinyImage::busybox({}).layer_tars.front(),
                                      "application/vnd.oci.image.layer.v1.tar");
    run(apply_layer(lease.client(), layer, rootfs));
    ProcessSpec process;
    process.args = {"/bin/busybox", "sh", "-c", script};
    ContainerSetup setup{daemon.folder(), "/default/tee-container"};
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);  // where the tests run, nobody may be able to raise it
    setup.max_open_files = std::min<std::uint64_t>(limit.rlim_max, kMaxOpenFiles);
    const std::string spec = build_runtime_spec(process, setup).dump();
    run(ContainerStore(client).create({kId, "", "io.containerd.runc.v2", test::snapshotter(), "key", spec}));
  }
};

}  // namespace

TEST_CASE("a task runs, says its output to a file and ends with its exit status") {
  if (test::containerd_is_missing()) return;
  TaskWorld world("echo out; echo err >&2; exit 3");
  const std::string out = world.daemon.folder() / "stdout";
  const std::string err = world.daemon.folder() / "stderr";
  for (const std::string& path : {out, err}) std::ofstream(path) << "before\n";
  CHECK_FALSE(world.run(world.tasks.exists(kId)));

  const std::uint32_t pid = world.run(world.tasks.create(kId, world.rootfs, {out, err}));
  CHECK(pid > 0);
  CHECK(world.run(world.tasks.exists(kId)));
  CHECK_THROWS_AS(world.run(world.tasks.create(kId, world.rootfs, {})), ContainerdError);
  CHECK(world.run(world.tasks.start(kId)) == pid);
  CHECK(world.run(world.tasks.wait(kId, kNoTimeout)) == 3);
  INFO("who asks later gets the same answer");
  CHECK(world.run(world.tasks.wait(kId, kNoTimeout)) == 3);
  CHECK_NOTHROW(world.run(world.tasks.kill(kId, SIGKILL)));
  world.run(world.tasks.remove(kId));
  CHECK_FALSE(world.run(world.tasks.exists(kId)));
  CHECK(base::read_text_file(out, 100) == "before\nout\n");
  CHECK(base::read_text_file(err, 100) == "before\nerr\n");
}

TEST_CASE("a task that does not end is waited for no longer than wanted, and can be killed") {
  if (test::containerd_is_missing()) return;
  TaskWorld world("exec /bin/busybox sleep 600");
  world.run(world.tasks.create(kId, world.rootfs, {}));
  SECTION("before its start") {}
  SECTION("behind its start") {
    world.run(world.tasks.start(kId));
    CHECK_THROWS_AS(world.run(world.tasks.wait(kId, kShort)), ContainerdError);
    INFO("what runs is not removed");
    CHECK_THROWS_AS(world.run(world.tasks.remove(kId)), ContainerdError);
  }
  world.run(world.tasks.kill(kId, SIGKILL));
  CHECK(world.run(world.tasks.wait(kId, kNoTimeout)) == kKilled);
  world.run(world.tasks.remove(kId));
}

TEST_CASE("a task that there is not") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const TaskService tasks(world.client);
  CHECK_FALSE(world.run(tasks.exists("none")));
  CHECK_THROWS_AS(world.run(tasks.create("none", {}, {})), ContainerdError);
  CHECK_THROWS_AS(world.run(tasks.start("none")), ContainerdError);
  CHECK_THROWS_AS(world.run(tasks.wait("none", kNoTimeout)), ContainerdError);
  CHECK_NOTHROW(world.run(tasks.kill("none", SIGKILL)));
  CHECK_NOTHROW(world.run(tasks.remove("none")));
}

}  // namespace launcher
