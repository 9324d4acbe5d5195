#include "launcher/containerd/mount.h"

#include <fstream>
#include <iostream>

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/environment.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

bool may_not_mount() {
  if (::geteuid() == 0) return false;
  std::cout << "skipped: not root\n";
  return true;
}

/// The folder that mounts are made in, and beside it what is mounted.
struct World {
  test::TemporaryDirectory mounts;
  test::TemporaryDirectory files;

  test::Environment environment{{{"TMPDIR", mounts.path()}}};

  std::string folder(const std::string& name, const std::string& file, const std::string& content) const {
    const std::filesystem::path path = files.path() / name;
    std::filesystem::create_directory(path);
    std::ofstream(path / file) << content;
    return path;
  }
  bool nothing_is_left() const { return std::filesystem::is_empty(mounts.path()); }
};

std::string content_of(const std::filesystem::path& path) { return base::read_text_file(path, 100); }

void expect_harmless(const std::filesystem::path& path) {
  struct statvfs status {};
  REQUIRE(::statvfs(path.c_str(), &status) == 0);
  constexpr unsigned long kExpected = ST_RDONLY | ST_NODEV | ST_NOEXEC | ST_NOSUID;
  CHECK((status.f_flag & kExpected) == kExpected);
  CHECK_FALSE(std::ofstream(path / "new").is_open());
}

}  // namespace

TEST_CASE("a snapshot is mounted read-only, without devices and programs, for as long as it is wanted") {
  if (may_not_mount()) return;
  const World world;
  std::filesystem::path path;
  SECTION("a bind mount") {
    const std::string source = world.folder("lower", "file", "content");
    {
      const ReadonlyMount mount({{"bind", source, {"rw", "rbind"}}});
      path = mount.path();
      CHECK(content_of(path / "file") == "content");
      expect_harmless(path);
    }
    CHECK(content_of(source + "/file") == "content");
  }
  SECTION("an overlay that is written to elsewhere") {
    const std::string lower = world.folder("lower", "file", "below");
    const std::string upper = world.folder("upper", "file", "above");
    const std::string lowest = world.folder("lowest", "other", "lowest");
    {
      const ReadonlyMount mount(
          {{"overlay", "overlay", {"workdir=/none", "upperdir=" + upper, "lowerdir=" + lower + ":" + lowest}}});
      path = mount.path();
      CHECK(content_of(path / "file") == "above");
      CHECK(content_of(path / "other") == "lowest");
      expect_harmless(path);
    }
    CHECK_FALSE(std::filesystem::exists(upper + "/new"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(world.nothing_is_left());
}

TEST_CASE("what can't be mounted is refused and leaves no folder") {
  if (may_not_mount()) return;
  const World world;
  const std::string source = world.folder("lower", "file", "content");
  const Mount bind{"bind", source, {}};
  const auto mounted = [](const std::vector<Mount>& mounts) { return ReadonlyMount(mounts).path(); };
  CHECK_THROWS_WITH(mounted({}), ContainsSubstring("exactly one"));
  CHECK_THROWS_WITH(mounted({bind, bind}), ContainsSubstring("exactly one"));
  CHECK_THROWS_WITH(mounted({Mount{"ext4", source, {}}}), ContainsSubstring("ext4"));
  CHECK_THROWS_WITH(mounted({{"overlay", "overlay", {"upperdir=" + source}}}), ContainsSubstring("lowerdir"));
  CHECK_THROWS_AS(mounted({{"overlay", "overlay", {"lowerdir=/no/such/folder"}}}), base::SystemError);
  CHECK_THROWS_AS(mounted({{"bind", "/no/such/folder", {}}}), base::SystemError);
  CHECK(world.nothing_is_left());
  std::filesystem::remove_all(world.mounts.path());
  CHECK_THROWS_AS(mounted({bind}), std::exception);
}

}  // namespace launcher
