#include "launcher/output/workload_output.h"

#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using launcher::LogRedirect;
using launcher::WorkloadOutput;

namespace {

struct OutputWorld {
  OutputWorld() { const std::ofstream empty(directory.path() / "console"); }

  launcher::OutputOptions options() const {
    return {.folder = directory.path() / "output", .console = directory.path() / "console"};
  }
  std::string console() const { return base::read_text_file(directory.path() / "console", std::size_t{64} << 20U); }

  test::TemporaryDirectory directory;
};

/// As the runtime opens it.
base::FileDescriptor open_to_write(const std::string& path) {
  base::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(file.get() >= 0);
  return file;
}

void write(const base::FileDescriptor& file, const std::string& text) {
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("without a redirect there are no pipes") {
  const OutputWorld world;
  asio::io_context context;
  WorkloadOutput output(context.get_executor(), LogRedirect::kNowhere, world.options());
  CHECK(output.paths().stdout_path.empty());
  CHECK(output.paths().stderr_path.empty());
  CHECK(test::run(context, output.finish()));
  CHECK_FALSE(std::filesystem::exists(world.options().folder));
}

TEST_CASE("what is written to either pipe comes out to its last byte, and the pipes go") {
  const OutputWorld world;
  asio::io_context context;
  std::string path;
  {
    WorkloadOutput output(context.get_executor(), LogRedirect::kConsole, world.options());
    path = output.paths().stdout_path;
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(S_ISFIFO(status.st_mode));
    CHECK((status.st_mode & 0777) == 0600);
    {
      const auto out = open_to_write(path);
      const auto err = open_to_write(output.paths().stderr_path);
      output.are_open();
      write(out, "one\n");
      context.run_one();
      write(err, "two\n");
      context.run_one();
      write(out, "three");
    }
    CHECK(test::run(context, output.finish()));
    CHECK(world.console() == "one\ntwo\nthree");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("pipes of a launcher that was killed are made anew") {
  const OutputWorld world;
  asio::io_context context;
  std::filesystem::create_directory(world.options().folder);
  std::filesystem::permissions(world.options().folder, std::filesystem::perms::owner_all);
  base::FileDescriptor(::open((world.options().folder / "stdout").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const WorkloadOutput output(context.get_executor(), LogRedirect::kConsole, world.options());
  CHECK(std::filesystem::is_fifo(output.paths().stdout_path));
}

TEST_CASE("output that does not end is not waited for") {
  const OutputWorld world;
  const test::CapturedLog log;
  test::ManualContext context;
  WorkloadOutput output(context.get_executor(), LogRedirect::kConsole, world.options());
  const auto held = open_to_write(output.paths().stdout_path);
  write(held, "kept");
  CHECK_FALSE(context.time.run(output.finish()));
  CHECK_THAT(log.text(), ContainsSubstring("output does not end"));
}

TEST_CASE("pipes that no task ever writes to are read no more when they are closed") {
  const OutputWorld world;
  asio::io_context context;
  WorkloadOutput output(context.get_executor(), LogRedirect::kConsole, world.options());
  const std::string path = output.paths().stdout_path;
  context.poll();
  output.close();
  CHECK_FALSE(std::filesystem::exists(path));
  context.run();  // which has nothing left to wait for
  output.close();
}

TEST_CASE("a console that can't be opened is an error before anything runs") {
  const OutputWorld world;
  asio::io_context context;
  launcher::OutputOptions options = world.options();
  options.console = "/nowhere/console";
  CHECK_THROWS_WITH(WorkloadOutput(context.get_executor(), LogRedirect::kAll, options),
                    ContainsSubstring("/nowhere/console"));
  CHECK_NOTHROW(WorkloadOutput(context.get_executor(), LogRedirect::kJournal, options));
}
