#include "launcher/workload.h"

#include "base/error.h"
#include "launcher/containerd/container_store.h"
#include "launcher/outcome.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/image_world.h"
#include "tests/unit/launcher/support/some_spec.h"
#include "tests/unit/launcher/support/tiny_image.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

/// A workload of `args`, up to its container.
struct WorkloadWorld : test::ImageWorld {
  const test::CapturedLog log;
  Workload workload{context.get_executor(), base::Clock::system(), containerd, test::snapshotter(),
                    launcher::OutputOptions{}};
  base::Json runtime_spec;

  explicit WorkloadWorld(const std::vector<std::string>& args) {
    test::TinyImage::busybox(args).publish(registry, "latest");
    Image image = test::run(context, workload.pull(client, reference("latest")));
    runtime_spec = test::run(context, workload.create(std::move(image), test::some_spec(), "host", daemon.folder()));
  }

  void start() { test::run(context, workload.start(runtime_spec)); }
  void wait() { test::run(context, workload.wait()); }
  void remove() { test::run(context, workload.remove()); }
  bool has_container() { return !test::run(context, ContainerStore(containerd).list()).empty(); }
};

const std::vector<std::string> kSleep = {"/bin/busybox", "sleep", "3600"};

}  // namespace

TEST_CASE("a workload runs to its end, which its status decides") {
  if (test::containerd_is_missing()) return;
  {
    WorkloadWorld world({"/bin/busybox", "true"});
    CHECK_FALSE(world.workload.runs());
    world.start();
    CHECK(world.workload.runs());
    CHECK_NOTHROW(world.wait());
    CHECK_FALSE(world.workload.runs());
    world.remove();
    CHECK_FALSE(world.has_container());
  }
  WorkloadWorld world({"/bin/busybox", "sh", "-c", "exit 7"});
  world.start();
  CHECK_THROWS_AS(world.wait(), WorkloadError);
  CHECK_THAT(world.log.text(), ContainsSubstring("return_code=7"));
  world.remove();
}

TEST_CASE("what runs is what was measured, or nothing") {
  if (test::containerd_is_missing()) return;
  WorkloadWorld world({"/bin/busybox", "true"});
  world.runtime_spec["process"]["args"].push_back("another");
  CHECK_THROWS_WITH(world.start(), ContainsSubstring("was changed after it had been measured"));
  CHECK_FALSE(world.workload.runs());
  world.remove();
  CHECK_FALSE(world.has_container());
}

TEST_CASE("a workload that is to end before it was started is not") {
  if (test::containerd_is_missing()) return;
  WorkloadWorld world(kSleep);
  test::run(world.context, world.workload.forbid_start());
  CHECK_THROWS_AS(world.start(), boost::system::system_error);
  CHECK_FALSE(world.workload.runs());
  CHECK(world.log.count("workload task started") == 0);
  world.remove();
  CHECK_FALSE(world.has_container());
}

TEST_CASE("a workload that does not heed SIGTERM is killed when its grace is over, or sooner") {
  if (test::containerd_is_missing()) return;
  for (const bool is_hurried : {false, true}) {
    CAPTURE(is_hurried);
    WorkloadWorld world(kSleep);
    world.start();
    base::TaskGroup ending(world.context.get_executor());
    ending.spawn(world.workload.end(std::chrono::seconds(is_hurried ? 3600 : 0)));
    if (is_hurried) world.workload.hurry();
    CHECK_THROWS_AS(world.wait(), WorkloadError);
    test::run(world.context, ending.join());
    CHECK_THAT(world.log.text(), ContainsSubstring("return_code=137"));
    CHECK(world.log.count("received a second signal") == (is_hurried ? 1 : 0));
    world.remove();
  }
}

TEST_CASE("a containerd that was not needed yet need not be there") {
  const test::TemporaryDirectory directory;
  const test::CapturedLog log;
  asio::io_context context;
  Workload workload(context.get_executor(), base::Clock::system(), ContainerdClient(directory.path() / "nobody"),
                    "overlayfs", launcher::OutputOptions{});
  CHECK_NOTHROW(test::run(context, workload.remove()));
  test::FakeRegistry registry(context.get_executor());
  test::TinyImage::busybox(kSleep).publish(registry, "latest");
  net::HttpClient http(context.get_executor());
  oci::RegistryClient client(http, {}, test::quick_registry());
  const auto reference = oci::ImageReference::parse(registry.host() + "/tiny:latest", "test");
  CHECK_THROWS_WITH(test::run(context, workload.pull(client, reference)), ContainsSubstring("cannot pull the image"));
  CHECK_THROWS_AS(test::run(context, workload.remove()), ContainerdError);
}

}  // namespace launcher
