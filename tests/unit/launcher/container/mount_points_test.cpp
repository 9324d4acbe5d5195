#include "launcher/container/mount_points.h"

#include <fstream>

#include "base/error.h"
#include "launcher/container/runtime_spec.h"
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

  void check() const {
    ContainerSetup setup{"/run/x", "/default/x"};
    setup.tmpfs_mounts = tmpfs_mounts;
    ProcessSpec process;
    process.args = {"/app"};
    check_mount_points(root, build_runtime_spec(process, setup));
  }
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
  SECTION("the parent of the launcher's folder") {
    fs::create_directory_symlink("etc", world.root / "run");
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/run is a symbolic link"));
  }
  SECTION("the parent of /etc/resolv.conf") {
    fs::remove(world.root / "etc");
    fs::create_directory_symlink(world.outside, world.root / "etc");
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/etc is a symbolic link"));
  }
  SECTION("a tmpfs deep in the image") {
    fs::create_directory(world.root / "srv");
    fs::create_directory_symlink(world.outside, world.root / "srv/link");
    world.tmpfs_mounts.push_back({"/srv/link/data"});
    CHECK_THROWS_WITH(world.check(), ContainsSubstring("/srv/link is a symbolic link"));
  }
  CHECK_THROWS_AS(world.check(), base::InvalidInput);
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

}  // namespace launcher
