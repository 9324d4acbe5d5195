#include "launcher/container/user.h"

#include <cstdlib>
#include <fstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace launcher {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::uint32_t>;

/// An image's root file system.
struct Root {
  fs::path path;

  Root() {
    char folder[] = "/tmp/cs-user-test.XXXXXX";
    path = ::mkdtemp(folder);
    fs::create_directories(path / "root/etc");
    path /= "root";
    write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34::/:\nlow:x:99999999999:1::/:\n");
    write("etc/group", "root:x:0:\nweb:x:34:\nlogs:x:50:other,web\nbroken:x:abc:web\nadm:x:4:web\n");
  }
  ~Root() { fs::remove_all(path.parent_path()); }

  void write(const std::string& name, const std::string& content) const {
    fs::remove(path / name);
    std::ofstream(path / name) << content;
  }
};

void check(const User& user, std::uint32_t uid, std::uint32_t gid, const Ids& groups) {
  CHECK(user.uid == uid);
  CHECK(user.gid == gid);
  CHECK(user.additional_gids == groups);
}

}  // namespace

TEST_CASE("a user is found by number and by name") {
  const Root root;
  check(resolve_user(root.path, ""), 0, 0, {0});
  check(resolve_user(root.path, "0"), 0, 0, {0});
  check(resolve_user(root.path, "web"), 33, 34, {4, 34, 50});
  check(resolve_user(root.path, "33"), 33, 34, {4, 34, 50});
  check(resolve_user(root.path, "web:logs"), 33, 50, {4, 50});
  check(resolve_user(root.path, "web:7"), 33, 7, {4, 7, 50});
  check(resolve_user(root.path, "1234"), 1234, 0, {0});
  check(resolve_user(root.path, "1234:5678"), 1234, 5678, {5678});
  check(resolve_user(root.path, "2147483647"), 2147483647, 0, {0});
}

TEST_CASE("a user that can't be found or is malformed is refused") {
  const Root root;
  for (const char* user : {"nobody", "web:nogroup", "a:b:c", "::", "web::", "2147483648", "4294967296", "-1", "low",
                           "web\n", "99999999999999999999", "0:2147483648"}) {
    INFO(user);
    CHECK_THROWS_AS(resolve_user(root.path, user), base::InvalidInput);
  }
  CHECK_THROWS_WITH(resolve_user(root.path, std::string(256, 'a')), ContainsSubstring("no such user"));
  CHECK_THROWS_WITH(resolve_user(root.path, std::string(257, 'a')), ContainsSubstring("too long"));
}

TEST_CASE("a user is in as many groups as the kernel takes at most") {
  const Root root;
  std::string groups;
  constexpr std::uint32_t kMost = 65536;
  for (std::uint32_t i = 1; i < kMost; ++i) groups += "g:x:" + std::to_string(100 + i) + ":web\n";
  root.write("etc/group", groups);
  CHECK(resolve_user(root.path, "web").additional_gids.size() == kMost);
  root.write("etc/group", groups + "g:x:100:web\n");
  CHECK_THROWS_WITH(resolve_user(root.path, "web"), ContainsSubstring("too many groups"));
}

TEST_CASE("a part that is empty is the default") {
  const Root root;
  check(resolve_user(root.path, ":"), 0, 0, {0});
  check(resolve_user(root.path, "web:"), 33, 34, {4, 34, 50});
  check(resolve_user(root.path, "33:"), 33, 34, {4, 34, 50});
  check(resolve_user(root.path, "1234:"), 1234, 0, {0});
  check(resolve_user(root.path, ":logs"), 0, 50, {50});
  check(resolve_user(root.path, ":7"), 0, 7, {7});
  root.write("etc/passwd", "root:x:0:5:root:/root:/bin/sh\n");
  check(resolve_user(root.path, ":"), 0, 5, {5});
}

TEST_CASE("account files with blanks at the ends of their lines are read as by containerd") {
  const Root root;
  root.write("etc/passwd", "  \r\n\t web:x:33:34\r\nlast:x:35:36:::/bin/sh \t");
  root.write("etc/group", " www:x:34:\r\nlogs:x:50:web\r\nadm:x:4:root,web \r\n\r\n");
  check(resolve_user(root.path, "web"), 33, 34, {4, 34, 50});
  check(resolve_user(root.path, "last:adm"), 35, 4, {4});
}

TEST_CASE("ids have an end, and signs, spaces and other notations make no number") {
  const Root root;
  check(resolve_user(root.path, "2147483647:2147483647"), 2147483647, 2147483647, {2147483647});
  check(resolve_user(root.path, "0033:007"), 33, 7, {4, 7, 50});
  for (const char* user : {"+5", "0x10", " 5", "5 ", "1e3", "5:+5", "5:0x10", "5: 5"}) {
    INFO(user);
    CHECK_THROWS_AS(resolve_user(root.path, user), base::InvalidInput);
  }
}

TEST_CASE("an image without account files runs as a number") {
  const Root root;
  fs::remove_all(root.path / "etc");
  check(resolve_user(root.path, ""), 0, 0, {0});
  check(resolve_user(root.path, "5:6"), 5, 6, {6});
  CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
}

TEST_CASE("account files as links do not lead out of the image") {
  const Root root;
  std::ofstream(root.path.parent_path() / "outside") << "web:x:1:1::/:\n";
  fs::remove(root.path / "etc/passwd");
  SECTION("relative") { fs::create_symlink("../../outside", root.path / "etc/passwd"); }
  SECTION("absolute") { fs::create_symlink(root.path.parent_path() / "outside", root.path / "etc/passwd"); }
  SECTION("through /proc") { fs::create_symlink("/proc/self/root/etc/passwd", root.path / "etc/passwd"); }
  SECTION("the folder") {
    fs::remove_all(root.path / "etc");
    fs::create_symlink("/etc", root.path / "etc");
  }
  CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
}

TEST_CASE("a link inside the image is followed") {
  const Root root;
  fs::rename(root.path / "etc/passwd", root.path / "accounts");
  fs::create_symlink("/accounts", root.path / "etc/passwd");
  CHECK(resolve_user(root.path, "web").uid == 33);
}

TEST_CASE("links are followed up to the kernel's own limit, and from the folder in which they stand") {
  const Root root;
  const auto chain = [&](int links) {
    fs::rename(root.path / "etc/passwd", root.path / "link0");
    for (int i = 1; i < links; ++i)
      fs::create_symlink("link" + std::to_string(i - 1), root.path / ("link" + std::to_string(i)));
    fs::create_symlink("../x/.././/link" + std::to_string(links - 1), root.path / "etc/passwd");
    fs::create_directory(root.path / "x");
  };
  SECTION("40 links") {
    chain(40);
    CHECK(resolve_user(root.path, "web").uid == 33);
  }
  SECTION("41 links") {
    chain(41);
    CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
  }
  SECTION("a loop") {
    fs::remove(root.path / "etc/passwd");
    fs::create_symlink("passwd", root.path / "etc/passwd");
    CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
  }
  SECTION("into a file as if it were a folder") {
    fs::remove(root.path / "etc/passwd");
    fs::create_symlink("group/passwd", root.path / "etc/passwd");
    CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
  }
}

TEST_CASE("account files are found 64 levels down, and no deeper") {
  const Root root;
  const auto bury = [&](int folders) {
    fs::path inside;
    for (int i = 0; i < folders; ++i) inside /= "d";
    fs::create_directories(root.path / inside);
    fs::rename(root.path / "etc/passwd", root.path / inside / "passwd");
    fs::create_symlink("/" + (inside / "passwd").string(), root.path / "etc/passwd");
  };
  SECTION("63 folders and the file") {
    bury(63);
    CHECK(resolve_user(root.path, "web").uid == 33);
  }
  SECTION("one more") {
    bury(64);
    CHECK_THROWS_AS(resolve_user(root.path, "web"), base::InvalidInput);
  }
}

TEST_CASE("account files that are no files, or huge, are refused") {
  const Root root;
  fs::remove(root.path / "etc/group");
  SECTION("a FIFO") { REQUIRE(::mkfifo((root.path / "etc/group").c_str(), 0600) == 0); }
  SECTION("a folder") { fs::create_directory(root.path / "etc/group"); }
  SECTION("a device") {
    if (::mknod((root.path / "etc/group").c_str(), S_IFCHR | 0600, makedev(1, 5)) != 0) return;
  }
  SECTION("100 MB") {
    root.write("etc/group", "");
    fs::resize_file(root.path / "etc/group", std::uintmax_t{100} << 20U);
  }
  SECTION("one byte above the limit") {
    root.write("etc/group", "");
    fs::resize_file(root.path / "etc/group", kMaxAccountFileBytes + 1);
  }
  SECTION("a link to itself") { fs::create_symlink("group", root.path / "etc/group"); }
  CHECK_THROWS_WITH(resolve_user(root.path, "web"), ContainsSubstring("etc/group"));
}

TEST_CASE("an account file is accepted up to the limit") {
  const Root root;
  const std::string line = "logs:x:50:web\n";
  root.write("etc/group", line + std::string(kMaxAccountFileBytes - line.size(), '\n'));
  CHECK(resolve_user(root.path, "web").additional_gids == Ids{34, 50});
}

}  // namespace launcher
