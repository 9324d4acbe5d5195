#include "launcher/containerd/mount.h"

#include <fstream>

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/temporary_directory.h"

namespace launcher {
namespace {

/// The folder that mounts are made in, and beside it what is mounted.
struct MountWorld {
  test::TemporaryDirectory mounts;
  test::TemporaryDirectory files;

  test::Environment environment{{{"TMPDIR", mounts.path()}}};

  std::string folder(const std::string& name, const std::string& file, const std::string& content) const {
    const std::filesystem::path path = files.path() / name;
    std::filesystem::create_directory(path);
    std::ofstream(path / file) << content;
    return path;
  }
  /// Folders as containerd names them, the highest layer's first; each holds a file of its number, and all have one
  /// that tells the highest.
  std::vector<std::string> numbered_folders(std::size_t count) const {
    std::vector<std::string> folders;
    for (std::size_t i = 0; i < count; ++i) {
      const std::filesystem::path layer = files.path() / std::to_string(i);
      std::filesystem::create_directories(layer / "fs");
      std::ofstream(layer / "fs" / std::to_string(i));
      std::ofstream(layer / "fs" / "etc-passwd") << i;
      folders.push_back(layer / "fs");
    }
    return folders;
  }
  static Mount overlay(const std::vector<std::string>& folders) {
    std::string lower;
    for (const std::string& folder : folders) lower += (lower.empty() ? "lowerdir=" : ":") + folder;
    return {"overlay", "overlay", {lower}};
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
  if (test::skips_without_root()) return;
  const MountWorld world;
  std::filesystem::path path;
  SECTION("a bind mount") {
    const std::string source = world.folder("lower", "file", "content");
    {
      const ReadonlyMount mount({{"bind", source, {"rw", "rbind"}}});
      path = mount.path();
      CHECK(content_of(path / "file") == "content");
      expect_harmless(path);
      CHECK(world.nothing_is_left());  // nor would be if this process were killed
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
      CHECK(world.nothing_is_left());
    }
    CHECK_FALSE(std::filesystem::exists(upper + "/new"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(world.nothing_is_left());
}

TEST_CASE("every layer of an image is mounted, however many there are") {
  if (test::skips_without_root()) return;
  const MountWorld world;
  for (const std::size_t layers :
       {std::size_t{53}, std::size_t{54}, std::size_t{127}, std::size_t{200}, kMaxOverlayFolders}) {
    INFO(layers);
    const Mount mount = world.overlay(world.numbered_folders(layers));
    const ReadonlyMount mounted({mount});
    for (std::size_t i = 0; i < layers; ++i) CHECK(std::filesystem::exists(mounted.path() / std::to_string(i)));
    CHECK(content_of(mounted.path() / "etc-passwd") == "0");
    expect_harmless(mounted.path());
  }
  CHECK(world.nothing_is_left());
}

TEST_CASE("lower layers do not go where the kernel's cut falls behind a folder that exists") {
  if (test::skips_without_root()) return;
  const MountWorld world;
  // As absolute paths, 61 folders and the separators between them fill the kernel's page to the last byte.
  constexpr std::size_t kPathLength = 66;
  constexpr std::size_t kFolders = 80;
  const std::string above = world.files.path().string() + "/";
  std::vector<std::string> folders;
  for (std::size_t i = 0; i < kFolders; ++i) {
    std::string name = std::to_string(i);
    name.insert(0, kPathLength - above.size() - name.size(), 'x');
    folders.push_back(world.folder(name, "file-" + std::to_string(i), "content"));
    REQUIRE(folders.back().size() == kPathLength);
  }
  REQUIRE((kMaxMountDataBytes - std::string("lowerdir=").size() + 1) % (kPathLength + 1) == 0);
  const ReadonlyMount mounted({world.overlay(folders)});
  for (std::size_t i = 0; i < kFolders; ++i) {
    CHECK(std::filesystem::exists(mounted.path() / ("file-" + std::to_string(i))));
  }
}

TEST_CASE("options are taken up to what the kernel takes, and never a byte more") {
  if (test::skips_without_root()) return;
  const MountWorld world;
  // "lowerdir=" and seventeen names with the separators between them.
  std::vector<std::string> folders;
  for (char c = 'a'; c < 'a' + 16; ++c) folders.push_back(world.folder(std::string(239, c), "x", ""));
  const std::size_t left = kMaxMountDataBytes - std::string("lowerdir=").size() - 16 * 240;
  folders.push_back(world.folder(std::string(left, 'z'), "lowest", "content"));
  {
    const ReadonlyMount mounted({world.overlay(folders)});
    CHECK(content_of(mounted.path() / "lowest") == "content");
  }
  folders.back() = world.folder(std::string(left + 1, 'z'), "lowest", "content");
  CHECK_THROWS_WITH(ReadonlyMount({world.overlay(folders)}),
                    ContainsSubstring("an image of 17 layers") && ContainsSubstring("4096 bytes"));
  CHECK_THROWS_WITH(ReadonlyMount({world.overlay(world.numbered_folders(kMaxOverlayFolders + 1))}),
                    ContainsSubstring("an image of 501 layers"));
  CHECK(world.nothing_is_left());
}

TEST_CASE("the path to the layers may hold what overlay options can't, their own names may not") {
  if (test::skips_without_root()) return;
  const MountWorld world;
  std::filesystem::create_directory(world.files.path() / "b,c d\\e");
  const std::string odd = world.folder("b,c d\\e/1", "file", "content");
  const std::string other = world.folder("b,c d\\e/2", "other", "content");
  {
    const ReadonlyMount mounted({{"overlay", "overlay", {"upperdir=" + odd, "lowerdir=" + other}}});
    CHECK(content_of(mounted.path() / "file") == "content");
    CHECK(content_of(mounted.path() / "other") == "content");
  }
  const std::string plain = world.folder("plain", "file", "content");
  for (const char* name : {"with,comma", "with\\backslash"}) {
    const std::string bad = world.folder(name, "file", "content");
    CHECK_THROWS_WITH(ReadonlyMount({world.overlay({plain, bad})}), ContainsSubstring("names that cannot be mounted"));
  }
  CHECK_THROWS_WITH(ReadonlyMount({world.overlay({plain + "/"})}), ContainsSubstring("cannot be mounted"));
  CHECK_THROWS_WITH(ReadonlyMount({world.overlay({"a", "b"})}), ContainsSubstring("not absolute"));
  CHECK(world.nothing_is_left());
}

TEST_CASE("what can't be mounted is refused and leaves no folder") {
  if (test::skips_without_root()) return;
  const MountWorld world;
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
