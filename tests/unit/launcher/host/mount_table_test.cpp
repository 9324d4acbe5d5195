#include "launcher/host/mount_table.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::MountTable;

namespace {

using Strings = std::vector<std::string>;

std::string mount_point_of(const MountTable& table, const char* path) {
  const launcher::MountEntry* entry = table.mount_of(path);
  return entry == nullptr ? "none" : std::to_string(entry->id) + " " + entry->mount_point;
}

void expect_refused(const std::string& text, const std::string& reason) {
  INFO(text);
  CHECK_THROWS_WITH(MountTable::parse(text), ContainsSubstring(reason));
}

constexpr auto kRootLine = "29 1 254:0 / / ro,relatime - erofs /dev/mapper/root ro,user_xattr\n";

}  // namespace

TEST_CASE("a line of mountinfo is taken apart as proc(5) says") {
  const MountTable table = MountTable::parse(
      "36 35 98:300 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue\n");
  REQUIRE(table.entries().size() == 1);
  const launcher::MountEntry& entry = table.entries().front();
  CHECK(entry.id == 36);
  CHECK(entry.parent_id == 35);
  CHECK(entry.device == makedev(98, 300));
  CHECK(entry.root == "/mnt1");
  CHECK(entry.mount_point == "/mnt2");
  CHECK(entry.options == Strings{"rw", "noatime"});
  CHECK(entry.type == "ext3");
  CHECK(entry.source == "/dev/root");
  CHECK(entry.has_super_option("errors=continue"));
  CHECK_FALSE(entry.has_super_option("noatime"));
  CHECK(entry.has_option("noatime"));
}

TEST_CASE("without optional fields, with escapes, without a source") {
  const MountTable table = MountTable::parse("1 0 0:1 / /a\\040b\\134c\\011 rw - fuse.x  rw\n");
  CHECK(table.entries().front().mount_point == "/a b\\c\t");
  CHECK(table.entries().front().source.empty());
}

TEST_CASE("what is no mount table is refused") {
  CHECK(MountTable::parse("").entries().empty());
  expect_refused("1 0 0:1 / /a rw - tmpfs tmpfs rw", "cut off");
  expect_refused("1 0 0:1 / /a rw tmpfs tmpfs rw\n", "mount table[0]: too few fields");
  expect_refused("1 0 0:1 / /a rw shared:1 tmpfs tmpfs rw\n", "three fields behind");
  expect_refused("1 0 0:1 / /a rw - tmpfs tmpfs rw x\n", "three fields behind");
  expect_refused("x 0 0:1 / /a rw - tmpfs tmpfs rw\n", "mount table[0].id: not a number");
  expect_refused("1 0 0:1:2 / /a rw - tmpfs tmpfs rw\n", "device: expected MAJOR:MINOR");
  expect_refused("1 0 4096:1 / /a rw - tmpfs tmpfs rw\n", "device: not a number");
  expect_refused("1 0 4095:1048576 / /a rw - tmpfs tmpfs rw\n", "device: not a number");
  expect_refused("1 0 0:1 / a rw - tmpfs tmpfs rw\n", "mount_point: is not absolute");
  expect_refused("1 0 0:1 / /a\\04 rw - tmpfs tmpfs rw\n", "three octal digits");
  expect_refused("1 0 0:1 / /a\\400 rw - tmpfs tmpfs rw\n", "three octal digits");
  expect_refused("1 0 0:1 / /a\\000 rw - tmpfs tmpfs rw\n", "NUL");
  expect_refused(kRootLine + std::string("\n"), "mount table[1]: too few fields");
  CHECK(MountTable::parse("1 0 4095:1048575 / /a rw - tmpfs tmpfs rw\n").entries().size() == 1);
}

TEST_CASE("a mount table is limited in length") {
  const std::string line = "1 0 0:1 / /";
  const std::string rest = " rw - tmpfs tmpfs rw\n";
  const std::string name(launcher::kMaxMountTableBytes - line.size() - rest.size(), 'x');
  CHECK(MountTable::parse(line + name + rest).entries().size() == 1);
  expect_refused(line + name + "x" + rest, "too long");
}

TEST_CASE("a path lies on what is mounted last on it or above it") {
  const MountTable table = MountTable::parse(std::string(kRootLine) +
                                             "30 29 0:21 / /var rw - tmpfs tmpfs rw\n"
                                             "31 30 254:1 / /var/lib/x rw - ext4 /dev/dm-1 rw\n"
                                             "33 31 254:1 / /var/lib/x ro - ext4 /dev/dm-1 rw\n"
                                             "32 29 0:22 / /tmp rw - tmpfs tmpfs rw\n");
  CHECK(mount_point_of(table, "/") == "29 /");
  CHECK(mount_point_of(table, "/usr/bin") == "29 /");
  CHECK(mount_point_of(table, "/var") == "30 /var");
  CHECK(mount_point_of(table, "/variable") == "29 /");
  CHECK(mount_point_of(table, "/var/lib") == "30 /var");
  CHECK(mount_point_of(table, "/var/lib/x") == "33 /var/lib/x");
  CHECK(mount_point_of(table, "/var/lib/x/y") == "33 /var/lib/x");
  CHECK(mount_point_of(table, "/tmp/") == "32 /tmp");
}

TEST_CASE("a mount that another one covers does not count, whatever the order of the lines") {
  const MountTable table = MountTable::parse(
      "40 39 0:30 / /var rw - tmpfs tmpfs rw\n"
      "31 39 254:1 / /var/lib/x rw - ext4 /dev/dm-1 rw\n"
      "39 1 254:0 / / ro - erofs /dev/dm-0 ro\n");
  CHECK(mount_point_of(table, "/var/lib/x") == "40 /var");
}

TEST_CASE("a root that is its own parent, no root, and mounts that lie on each other in a circle") {
  CHECK(mount_point_of(MountTable::parse("1 1 0:2 / / rw - rootfs rootfs rw\n"), "/x") == "1 /");
  CHECK(mount_point_of(MountTable::parse("2 1 0:2 / /x rw - tmpfs tmpfs rw\n"), "/x") == "none");
  const MountTable circle = MountTable::parse(std::string(kRootLine) +
                                              "2 29 0:2 / /x rw - tmpfs a rw\n"
                                              "3 2 0:2 / /x rw - tmpfs b rw\n"
                                              "2 3 0:2 / /x rw - tmpfs c rw\n");
  CHECK_FALSE(mount_point_of(circle, "/x").empty());
}

TEST_CASE("this process's own table agrees with stat(2)") {
  const MountTable table = MountTable::of_this_process();
  for (const char* path : {"/proc", "/sys"}) {
    struct stat status {};
    REQUIRE(::stat(path, &status) == 0);
    const launcher::MountEntry* entry = table.mount_of(path);
    REQUIRE(entry != nullptr);
    INFO(path);
    CHECK(entry->device == status.st_dev);
  }
}
