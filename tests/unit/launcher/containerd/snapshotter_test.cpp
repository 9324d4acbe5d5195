#include "launcher/containerd/snapshotter.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "launcher/containerd/lease.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_world.h"

namespace launcher {
namespace {

/// Where a snapshot without a parent keeps its files: it is bind-mounted.
std::filesystem::path files_of(const std::vector<Mount>& mounts) { return mounts.at(0).source; }

bool same(const std::vector<Mount>& a, const std::vector<Mount>& b) {
  return std::ranges::equal(a, b, [](const Mount& x, const Mount& y) {
    return x.type == y.type && x.source == y.source && x.options == y.options;
  });
}

}  // namespace

TEST_CASE("a snapshot is prepared, committed, built upon and removed") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const Lease lease = world.run(Lease::create(world.client));
  const Snapshotter snapshots(lease.client(), test::snapshotter());
  CHECK(snapshots.name() == test::snapshotter());
  CHECK_FALSE(world.run(snapshots.exists("key")));

  const auto mounts = world.run(snapshots.prepare("key", "", {}));
  CHECK(world.run(snapshots.exists("key")));
  CHECK(same(world.run(snapshots.mounts("key")), mounts));
  const std::uint64_t empty = world.run(snapshots.usage("key"));
  constexpr std::size_t kBytes = std::size_t{1} << 20U;
  std::ofstream(files_of(mounts) / "file") << std::string(kBytes, 'x');
  CHECK(world.run(snapshots.usage("key")) >= empty + kBytes);

  world.run(snapshots.commit("key", "name"));
  CHECK_FALSE(world.run(snapshots.exists("key")));
  CHECK(world.run(snapshots.exists("name")));

  const auto upper = world.run(snapshots.prepare("upper", "name", {}));
  REQUIRE(upper.size() == 1);
  CHECK(world.run(snapshots.usage("upper")) < kBytes);
  auto all = world.run(snapshots.list());
  std::ranges::sort(all);
  CHECK(all == std::vector<std::string>{"name", "upper"});

  INFO("what another snapshot stands on stays");
  CHECK_THROWS_AS(world.run(snapshots.remove("name")), ContainerdError);
  world.run(snapshots.remove("upper"));
  world.run(snapshots.remove("name"));
  CHECK(world.run(snapshots.list()).empty());
}

TEST_CASE("a snapshot that is there twice or not at all is told apart") {
  if (test::containerd_is_missing()) return;
  test::ContainerdWorld world;
  const Lease lease = world.run(Lease::create(world.client));
  const Snapshotter snapshots(lease.client(), test::snapshotter());
  world.run(snapshots.prepare("key", "", {}));
  const auto error_of = [&](auto work) -> ContainerdError {
    try {
      world.run(std::move(work));
    } catch (const ContainerdError& error) {
      return error;
    }
    throw std::logic_error("no error");
  };
  CHECK(error_of(snapshots.prepare("key", "", {})).is_already_exists());
  CHECK(error_of(snapshots.prepare("other", "no-such-parent", {})).is_not_found());
  CHECK(error_of(snapshots.mounts("none")).is_not_found());
  CHECK(error_of(snapshots.commit("none", "name")).is_not_found());
  CHECK(error_of(snapshots.usage("none")).is_not_found());
  CHECK_NOTHROW(world.run(snapshots.remove("none")));
  world.run(snapshots.commit("key", "name"));
  world.run(snapshots.prepare("second", "", {}));
  CHECK(error_of(snapshots.commit("second", "name")).is_already_exists());
  CHECK_THROWS_AS(world.run(Snapshotter(world.client, "no-such-snapshotter").exists("key")), ContainerdError);
}

}  // namespace launcher
