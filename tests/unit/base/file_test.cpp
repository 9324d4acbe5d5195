#include "base/file.h"

#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/temporary_directory.h"

namespace fs = std::filesystem;
using base::FileDescriptor;

namespace {

void put(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("files are read whole up to a limit") {
  const test::TemporaryDirectory directory;
  put(directory.path() / "f", "12345");
  CHECK(base::read_text_file(directory.path() / "f", 5) == "12345");
  CHECK_THROWS_WITH(base::read_file(directory.path() / "f", 4), ContainsSubstring("longer than 4 bytes"));
  CHECK_THROWS_WITH(base::read_file(directory.path() / "absent", 4), ContainsSubstring("No such file"));
}

TEST_CASE("nothing but a regular file is read, and nobody waits for the other end of a FIFO") {
  const test::TemporaryDirectory directory;
  REQUIRE(::mkfifo((directory.path() / "fifo").c_str(), 0600) == 0);
  for (const fs::path& path : {directory.path() / "fifo", directory.path(), fs::path("/dev/zero")}) {
    CAPTURE(path);
    CHECK_THROWS_WITH(base::read_file(path, 4), ContainsSubstring("is not a regular file"));
  }
  put(directory.path() / "f", "12345");
  fs::create_symlink("f", directory.path() / "link");
  CHECK(base::read_text_file(directory.path() / "link", 5) == "12345");
  CHECK_FALSE(base::read_file("/proc/self/status", std::size_t{1} << 20U).empty());
}

TEST_CASE("a private folder is made, or refused when it is not ours alone") {
  const test::TemporaryDirectory directory;
  const FileDescriptor made = base::open_private_directory(directory.path() / "new", 0755);
  CHECK(fs::is_directory(directory.path() / "new"));
  CHECK_NOTHROW(base::open_private_directory(directory.path() / "new", 0755));
  fs::create_symlink(directory.path() / "new", directory.path() / "link");
  CHECK_THROWS_AS(base::open_private_directory(directory.path() / "link", 0755), base::Error);
  put(directory.path() / "file", "");
  CHECK_THROWS_AS(base::open_private_directory(directory.path() / "file", 0755), base::Error);
  REQUIRE(::chmod((directory.path() / "new").c_str(), 0777) == 0);
  CHECK_THROWS_WITH(base::open_private_directory(directory.path() / "new", 0755), ContainsSubstring("other users"));
  REQUIRE(::chmod((directory.path() / "new").c_str(), 0755) == 0);
  if (::geteuid() == 0) {
    REQUIRE(::chown((directory.path() / "new").c_str(), 12345, 12345) == 0);
    CHECK_THROWS_WITH(base::open_private_directory(directory.path() / "new", 0755), ContainsSubstring("another user"));
  }
}

TEST_CASE("what is planted at a file's place is replaced, never followed") {
  const test::TemporaryDirectory directory;
  const FileDescriptor fd = base::open_private_directory(directory.path() / "d", 0755);
  const fs::path target = directory.path() / "d" / "token";
  const fs::path victim = directory.path() / "victim";
  put(victim, "untouched");

  const auto expect_replaced = [&] {
    base::replace_file(fd, "token", base::view_of("fresh"), 0644);
    CHECK(fs::is_regular_file(fs::symlink_status(target)));
    CHECK(base::read_text_file(target, 100) == "fresh");
    CHECK(base::read_text_file(victim, 100) == "untouched");
    CHECK(entries(directory.path() / "d") == 1);
    fs::remove(target);
  };
  SECTION("nothing") { expect_replaced(); }
  SECTION("a symbolic link") {
    fs::create_symlink(victim, target);
    expect_replaced();
  }
  SECTION("a hard link") {
    fs::create_hard_link(victim, target);
    expect_replaced();
  }
  SECTION("a FIFO") {
    REQUIRE(::mkfifo(target.c_str(), 0666) == 0);
    expect_replaced();
  }
  SECTION("a symbolic link at the temporary path") {
    fs::create_symlink(victim, directory.path() / "d" / ".token.new");
    expect_replaced();
  }
  SECTION("a folder") {
    fs::create_directory(target);
    CHECK_THROWS_AS(base::replace_file(fd, "token", base::view_of("fresh"), 0644), base::SystemError);
    CHECK(entries(directory.path() / "d") == 1);
  }
}

TEST_CASE("the mode is exact whatever the umask") {
  const test::TemporaryDirectory directory;
  const FileDescriptor fd = base::open_private_directory(directory.path() / "d", 0755);
  const mode_t old = ::umask(077);
  base::replace_file(fd, "f", base::view_of("x"), 0644);
  ::umask(old);
  struct stat status {};
  REQUIRE(::stat((directory.path() / "d" / "f").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
}

TEST_CASE("a descriptor closes once, and moves") {
  const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(raw >= 0);
  {
    FileDescriptor a(raw);
    FileDescriptor b(std::move(a));
    CHECK(b.get() == raw);
    CHECK(::fcntl(raw, F_GETFD) >= 0);
  }
  CHECK(::fcntl(raw, F_GETFD) < 0);
}
