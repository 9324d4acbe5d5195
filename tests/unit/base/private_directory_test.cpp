#include "base/private_directory.h"

#include <fstream>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/temporary_directory.h"

namespace fs = std::filesystem;
using base::PrivateDirectory;

namespace {

/// The mask of new files' modes for as long as this lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace

TEST_CASE("a private folder stands in the temporary folder, named as asked, and is nobody else's") {
  const test::TemporaryDirectory temporary;
  const test::Environment environment({{"TMPDIR", temporary.path().string()}});
  const Umask everything_allowed(0);
  const PrivateDirectory directory("cs-some");
  CHECK(directory.path().parent_path() == temporary.path());
  CHECK_THAT(directory.path().filename().string(), Catch::Matchers::StartsWith("cs-some-"));
  struct stat status {};
  REQUIRE(::lstat(directory.path().c_str(), &status) == 0);
  CHECK(S_ISDIR(status.st_mode));
  CHECK((status.st_mode & 07777) == 0700);
  CHECK(status.st_uid == ::geteuid());
}

TEST_CASE("no two private folders are the same") {
  const PrivateDirectory one("cs-test");
  const PrivateDirectory two("cs-test");
  CHECK(one.path() != two.path());
  CHECK(fs::is_directory(one.path()));
  CHECK(fs::is_directory(two.path()));
}

TEST_CASE("a private folder goes with all that it holds, and what links in it lead to stays") {
  const test::TemporaryDirectory outside;
  std::ofstream(outside.path() / "file") << "content";
  fs::create_directory(outside.path() / "folder");
  std::ofstream(outside.path() / "folder/inner") << "content";
  fs::path path;
  {
    const PrivateDirectory directory("cs-test");
    path = directory.path();
    fs::create_directories(path / "a/b/c");
    std::ofstream(path / "a/b/c/file") << "content";
    fs::permissions(path / "a/b/c/file", fs::perms::none);
    REQUIRE(::mkfifo((path / "a/fifo").c_str(), 0600) == 0);
    fs::create_symlink(outside.path() / "file", path / "to-a-file");
    fs::create_directory_symlink(outside.path() / "folder", path / "a/to-a-folder");
    fs::create_symlink("nowhere", path / "to-nothing");
  }
  CHECK_FALSE(fs::exists(path));
  CHECK(fs::exists(outside.path() / "file"));
  CHECK(fs::exists(outside.path() / "folder/inner"));
}

TEST_CASE("a private folder that is gone already is no failure") {
  const test::TemporaryDirectory temporary;
  const test::Environment environment({{"TMPDIR", temporary.path().string()}});
  {
    const PrivateDirectory directory("cs-test");
    fs::remove_all(directory.path());
  }
  CHECK(fs::is_empty(temporary.path()));
}

TEST_CASE("where no folder can be made, a SystemError says so") {
  const auto code_in = [](const fs::path& temporary) {
    const test::Environment environment({{"TMPDIR", temporary.string()}});
    try {
      const PrivateDirectory directory("cs-test");
      return 0;
    } catch (const base::SystemError& error) {
      return error.code();
    }
  };
  const test::TemporaryDirectory temporary;
  CHECK(code_in(temporary.path() / "absent") == ENOENT);
  std::ofstream(temporary.path() / "file") << "";
  CHECK(code_in(temporary.path() / "file") == ENOTDIR);
  CHECK(code_in("/proc") != 0);  // a folder in which there can be no other
}
