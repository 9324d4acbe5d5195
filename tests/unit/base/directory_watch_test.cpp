#include "base/directory_watch.h"

#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

namespace {

void replace(const std::filesystem::path& folder, const std::string& name) {
  base::replace_file(base::open_private_directory(folder, 0700), name, base::view_of("x"), 0600);
}

}  // namespace

TEST_CASE("a file that is replaced is noticed, before and while one waits for it") {
  const base::PrivateDirectory directory("cs-test");
  asio::io_context context;
  base::DirectoryWatch watch(context.get_executor(), directory.path(), "file");
  replace(directory.path(), "other");
  replace(directory.path(), "file");
  test::run(context, watch.replaced());
  bool noticed = false;
  asio::co_spawn(context, watch.replaced(), [&](const std::exception_ptr&) { noticed = true; });
  replace(directory.path(), "files");
  std::ofstream(directory.path() / "file") << "written in place";
  context.restart();
  context.poll();
  CHECK_FALSE(noticed);
  replace(directory.path(), "file");
  context.run();
  CHECK(noticed);
}

TEST_CASE("only a folder that is there is watched") {
  const base::PrivateDirectory directory("cs-test");
  asio::io_context context;
  CHECK_THROWS_AS(base::DirectoryWatch(context.get_executor(), directory.path() / "none", "file"), base::SystemError);
}
