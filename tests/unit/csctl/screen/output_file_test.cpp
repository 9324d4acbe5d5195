#include "csctl/screen/output_file.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/temporary_directory.h"

TEST_CASE("A file is replaced whole, with the mode that it had, also behind a link") {
  const test::TemporaryDirectory folder;
  const std::filesystem::path file = folder.path() / "values.json";
  csctl::write_output_file(file, base::view_of("one"));
  CHECK(base::read_text_file(file, 100) == "one");
  std::filesystem::permissions(file, std::filesystem::perms{0600});
  std::filesystem::create_symlink(file, folder.path() / "link");
  csctl::write_output_file(folder.path() / "link", base::view_of("two"));
  CHECK(base::read_text_file(file, 100) == "two");
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms{0600});
  CHECK_THROWS_AS(csctl::write_output_file(folder.path() / "absent" / "values.json", {}), base::SystemError);
  CHECK_THROWS_WITH(csctl::write_output_file("/dev/null", {}), "/dev/null: is no regular file");
  CHECK_THROWS_AS(csctl::write_output_file(folder.path(), {}), base::InvalidInput);
}

TEST_CASE("A file stays its owner's") {
  if (test::skips_without_root()) return;
  const test::TemporaryDirectory folder;
  const std::string file = folder.path() / "values.json";
  csctl::write_output_file(file, base::view_of("one"));
  constexpr uid_t kSomebody = 65534;
  REQUIRE(::chown(file.c_str(), kSomebody, kSomebody) == 0);
  csctl::write_output_file(file, base::view_of("two"));
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK(status.st_uid == kSomebody);
  CHECK(base::read_text_file(file, 100) == "two");
}
