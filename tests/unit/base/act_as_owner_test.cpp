#include "base/act_as_owner.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"

namespace {

constexpr uid_t kOther = 4711;

uid_t owner(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_uid;
}

}  // namespace

TEST_CASE("root acts as the owner of a folder for a while") {
  if (::geteuid() != 0) {
    WARN("test-skipped: takes root");
    return;
  }
  const base::PrivateDirectory directory("cs-test");
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const auto folder = directory.path() / "folder";
  std::filesystem::create_directory(folder);
  REQUIRE(::chown(folder.c_str(), kOther, kOther) == 0);
  {
    const base::ActAsOwner owner_of_missing(folder / "a/b");
    CHECK(::geteuid() == kOther);
    CHECK(::getegid() == kOther);
    base::replace_file(base::open_private_directory(folder, 0700), "file", base::view_of("x"), 0600);
    CHECK_THROWS_AS(base::open_private_directory(directory.path(), 0700), base::Error);
  }
  CHECK(::geteuid() == 0);
  CHECK(::getegid() == 0);
  CHECK(owner(folder / "file") == kOther);
}

TEST_CASE("in a folder of one's own nothing changes") {
  const base::PrivateDirectory directory("cs-test");
  const base::ActAsOwner self(directory.path());
  CHECK(::geteuid() == ::getuid());
}
