#include "launcher/output/sinks.h"

#include <array>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/temporary_directory.h"

using launcher::Console;
using launcher::OutputStream;

TEST_CASE("a console gets bytes as they are, behind what it has") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "console";
  std::ofstream(path) << "before ";
  const Console console(path);
  console.write({OutputStream::kStdout, std::string("a\0\xff\n", 4)});
  console.write({OutputStream::kStderr, "b"});
  CHECK(base::read_text_file(path, 100) == std::string("before a\0\xff\nb", 12));
}

TEST_CASE("a console that is not there is an error that names it") {
  const test::TemporaryDirectory directory;
  CHECK_THROWS_WITH(Console(directory.path() / "none"), ContainsSubstring("none"));
}

TEST_CASE("nobody waits for the other end of a console that has none") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THROWS_AS(Console(path), base::SystemError);
  const base::FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const Console console(path);
  console.write({OutputStream::kStdout, "words"});
  std::array<char, 8> text{};
  CHECK(::read(reader.get(), text.data(), text.size()) == 5);
}

TEST_CASE("without a journal lines of JSON go to standard output") {
  const test::Environment environment(std::map<std::string, std::string>{{"JOURNAL_STREAM", "0:0"}});
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const base::FileDescriptor reader(ends[0]);
  const base::FileDescriptor before(::dup(STDOUT_FILENO));
  REQUIRE(::dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
  ::close(ends[1]);
  launcher::write_to_journal({OutputStream::kStderr, "oh no"});
  REQUIRE(::dup2(before.get(), STDOUT_FILENO) == STDOUT_FILENO);
  std::array<char, 1024> text{};
  const ssize_t got = ::read(reader.get(), text.data(), text.size());
  REQUIRE(got > 0);
  const std::string written(text.data(), static_cast<std::size_t>(got));
  CHECK(written.ends_with("}\n"));
  CHECK(base::Json::parse(written) == base::Json({{"severity", "ERROR"}, {"message", "oh no"}}));
}
