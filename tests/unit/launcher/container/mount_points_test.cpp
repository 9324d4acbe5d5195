#include "launcher/container/mount_points.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/plan/runtime_spec.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;

/// An image's files, below a folder that has a neighbour to lead out to.
struct World {
  test::TemporaryDirectory directory;
  fs::path root = directory.path() / "root";
  fs::path outside = directory.path() / "outside";
  std::vector<TmpfsMount> tmpfs_mounts;

  World() {
    fs::create_directories(root / "etc");
    fs::create_directory(outside);
  }

  /// Where the mount points are.
  std::vector<std::string> check() const {
    ContainerSetup setup{"/run/x", "/default/x"};
    setup.tmpfs_mounts = tmpfs_mounts;
    ProcessSpec process;
    process.args = {"/app"};
    base::Json spec = build_runtime_spec(process, setup);
    settle_mount_points(root, spec);
    std::vector<std::string> destinations;
    for (const base::Json& mount : spec.at("mounts"))
      destinations.push_back(mount.at("destination").get<std::string>());
    return destinations;
  }

  /// What becomes of one of them.
  bool mounts(const std::string& destination) const { return std::ranges::count(check(), destination) == 1; }
};

}  // namespace

TEST_CASE("mount points that are plain folders, or absent, are fine") {
  const World world;
  CHECK_NOTHROW(world.check());
  fs::remove(world.root / "etc");
  CHECK_NOTHROW(world.check());
  for (const char* folder : {"dev/shm", "dev/pts", "proc", "sys/fs/cgroup", "run/container_launcher", "etc"}) {
    fs::create_directories(world.root / folder);
  }
  CHECK_NOTHROW(world.check());
}

TEST_CASE("a mount point behind a symbolic link is refused by name") {
  World world;
  SECTION("/dev leads out of the image") {
    fs::create_directory_symlink(world.outside, world.root / "dev");
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/dev is a symbolic link"));
  }
  SECTION("/dev leads to another folder of the image") {
    fs::create_directory_symlink("etc", world.root / "dev");
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/dev is a symbolic link"));
  }
  SECTION("/dev leads nowhere") {
    fs::create_symlink("/no/such/folder", world.root / "dev");
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/dev is a symbolic link"));
  }
  SECTION("a tmpfs deep in the image") {
    fs::create_directory(world.root / "srv");
    fs::create_directory_symlink(world.outside, world.root / "srv/link");
    world.tmpfs_mounts.push_back({"/srv/link/data"});
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/srv/link is a symbolic link"));
  }
  CHECK_THROWS_AS(world.check(), base::InvalidInput);
}

TEST_CASE("/etc and /run may lead to another place of the image") {
  World world;
  fs::remove(world.root / "etc");
  fs::create_directories(world.root / "store/etc");
  SECTION("by an absolute path, as if the image's root were the machine's") {
    fs::create_directory_symlink("/store/etc", world.root / "etc");
  }
  SECTION("by a relative one") { fs::create_directory_symlink("store/etc", world.root / "etc"); }
  SECTION("upwards beyond the root, which is its own parent") {
    fs::create_directory_symlink("../../../store/etc", world.root / "etc");
  }
  SECTION("by several links") {
    fs::create_directory_symlink("first", world.root / "etc");
    fs::create_directory_symlink("./store/../second/etc", world.root / "first");
    fs::create_directory_symlink("store", world.root / "second");
  }
  CHECK(world.mounts("/store/etc/hosts"));
  CHECK(world.mounts("/store/etc/resolv.conf"));
  CHECK(world.mounts("/run"));
  fs::create_directory_symlink("var/run", world.root / "run");
  CHECK(world.mounts("/var/run"));
  CHECK(world.mounts("/var/run/container_launcher"));
}

TEST_CASE("what the image hides behind its own link counts for nothing") {
  const World world;
  fs::create_directories(world.root / "var/run");
  fs::create_directory_symlink("var/run", world.root / "run");
  fs::create_directory_symlink("/etc", world.root / "var/run/container_launcher");
  CHECK(world.mounts("/var/run/container_launcher"));
}

TEST_CASE("/etc and /run lead to no place where something else is mounted") {
  World world;
  fs::remove(world.root / "etc");
  fs::create_directory_symlink(GENERATE("/proc/sys", "/dev", "/sys/fs/cgroup", "/run/etc", "/", ".."),
                               world.root / "etc");
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/etc leads to /"));
  CHECK_THROWS_AS(world.check(), base::InvalidInput);
}

TEST_CASE("links that lead in a circle come to an end") {
  const World world;
  fs::create_directory_symlink("run", world.root / "run");
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/run: leads through too many symbolic links"));
}

TEST_CASE("an operator's mount is where its author allowed it, or nowhere") {
  World world;
  fs::create_directory_symlink("var/run", world.root / "run");
  world.tmpfs_mounts.push_back({"/run/data"});
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/run is a symbolic link"));
}

TEST_CASE("what the image has below an earlier mount may be a symbolic link, beside it not") {
  World world;
  fs::create_directories(world.root / "dev");
  fs::create_directory_symlink("../etc", world.root / "dev/shm");
  fs::create_directories(world.root / "srv");
  fs::create_directory_symlink(world.outside, world.root / "srv/inner");
  world.tmpfs_mounts.push_back({"/srv"});
  world.tmpfs_mounts.push_back({"/srv/inner"});
  CHECK_NOTHROW(world.check());
  fs::create_directory_symlink(world.outside, world.root / "srv2");
  world.tmpfs_mounts.push_back({"/srv2"});
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/srv2 is a symbolic link"));
}

TEST_CASE("/etc/resolv.conf and /etc/hosts may be symbolic links themselves") {
  const World world;
  fs::create_symlink("/run/systemd/resolve/stub-resolv.conf", world.root / "etc/resolv.conf");
  fs::create_symlink("../dev/null", world.root / "etc/hosts");
  CHECK_NOTHROW(world.check());
}

TEST_CASE("a link whose name is no text is refused by name") {
  const World world;
  fs::create_symlink("x\xff", world.root / "run");
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/run leads to a name that is not UTF-8"));
  CHECK_THROWS_AS(world.check(), base::InvalidInput);
}

TEST_CASE("links that are long rather than many are refused as soon") {
  const World world;
  std::string detour;
  for (int i = 0; i < 500; ++i) detour += "b/../";
  fs::create_symlink(detour + "1", world.root / "run");
  for (int i = 1; i < 39; ++i) fs::create_symlink(detour + std::to_string(i + 1), world.root / std::to_string(i));
  CHECK_THROWS_WITH(world.check(), ContainsSubstring("/run: leads through too many folders"));
}

}  // namespace launcher
