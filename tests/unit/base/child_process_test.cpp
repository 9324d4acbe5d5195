#include "base/child_process.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/environment.h"
#include "tests/unit/support/temporary_directory.h"

namespace fs = std::filesystem;
using base::ChildProcess;

namespace {

/// What `/bin/sh -c SCRIPT` is run with; "$0" and so on are `arguments`.
std::vector<std::string> shell(const std::string& script, const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> command = {"/bin/sh", "-c", script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

int exit_code_of(const std::vector<std::string>& command) { return ChildProcess(command).wait(); }

/// A FIFO on which a child says that it has come so far.
class Signpost {
 public:
  Signpost() { REQUIRE(::mkfifo(path().c_str(), 0600) == 0); }

  fs::path path() const { return directory_.path() / "fifo"; }
  /// Waits for a line; who opens a FIFO waits for the other side, too.
  std::string line() const {
    std::ifstream fifo(path());
    std::string text;
    std::getline(fifo, text);
    return text;
  }

 private:
  test::TemporaryDirectory directory_;
};

/// Errno of the failure to start; 0 when it started.
int start_failure_of(const std::vector<std::string>& command) {
  try {
    ChildProcess(command).wait();
    return 0;
  } catch (const base::SystemError& error) {
    CHECK_THAT(error.what(), Catch::Matchers::StartsWith("starting " + command.front() + ": "));
    return error.code();
  }
}

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

constexpr int kMaxDescriptor = 40;

/// Of this process: those which a program that it starts has, too.
std::set<int> inherited_descriptors() {
  std::set<int> inherited;
  for (int fd = 0; fd < kMaxDescriptor; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) inherited.insert(fd);
  }
  return inherited;
}

/// Of a program that was started. The shell's own test(1) opens none for itself.
std::set<int> descriptors_of_a_child() {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "descriptors";
  const std::string script =
      "list=; n=0; while [ $n -lt " + std::to_string(kMaxDescriptor) +
      R"( ]; do [ ! -e /proc/self/fd/$n ] || list="$list $n"; n=$((n + 1)); done; echo $list >"$0")";
  REQUIRE(exit_code_of(shell(script, {file.string()})) == 0);
  std::ifstream lines(file);
  std::set<int> found;
  for (int fd = 0; lines >> fd;) found.insert(fd);
  return found;
}

}  // namespace

TEST_CASE("a child's exit code is known once it has ended, and stays known") {
  CHECK(exit_code_of({"true"}) == 0);
  ChildProcess child(shell("exit 7"));
  CHECK(child.wait() == 7);
  CHECK(child.wait() == 7);
  CHECK_FALSE(child.is_running());
  child.stop();
  CHECK(child.wait() == 7);
}

TEST_CASE("of a child that a signal ended, 128 and the signal's number are known") {
  CHECK(exit_code_of(shell("kill -KILL $$")) == 128 + SIGKILL);
  CHECK(exit_code_of(shell("kill -TERM $$")) == 128 + SIGTERM);
}

TEST_CASE("whether a child runs is known without waiting for it") {
  const Signpost signpost;
  ChildProcess child(shell(R"(read line <"$0"; exit 3)", {signpost.path().string()}));
  CHECK(child.is_running());
  std::ofstream(signpost.path()) << "go on\n";
  while (child.is_running()) std::this_thread::yield();
  CHECK(child.wait() == 3);
}

TEST_CASE("arguments arrive as they are, and the environment is that of this process") {
  CHECK(exit_code_of(shell(R"([ $# = 3 ] && [ "$1" = "a  b" ] && [ -z "$2" ] && [ "$3" = '*' ])",
                           {"sh", "a  b", "", "*"})) == 0);
  const std::string value = "a b\n";
  const test::Environment environment({{"CS_TEST_VARIABLE", value}});
  CHECK(exit_code_of(shell(R"([ "$CS_TEST_VARIABLE" = "$0" ])", {value})) == 0);
}

TEST_CASE("a program is looked for in PATH") {
  const test::TemporaryDirectory directory;
  const fs::path program = directory.path() / "cs-test-program";
  std::ofstream(program) << "#!/bin/sh\nexit 9\n";
  fs::permissions(program, fs::perms::owner_all);
  CHECK(start_failure_of({"cs-test-program"}) == ENOENT);
  const test::Environment environment({{"PATH", directory.path().string()}});
  CHECK(exit_code_of({"cs-test-program"}) == 9);
}

TEST_CASE("a program that can't be started is an error that says why, and leaves no child") {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "file";
  std::ofstream(file) << "#!/bin/sh\n";
  fs::permissions(file, fs::perms::owner_read);
  REQUIRE_FALSE(has_children());
  CHECK(start_failure_of({"/nonexistent/program"}) == ENOENT);
  CHECK(start_failure_of({file.string()}) == EACCES);
  CHECK(start_failure_of({directory.path().string()}) == EACCES);
  CHECK_FALSE(has_children());
}

TEST_CASE("standard input and output are nothing, standard error is ours") {
  const auto is_null = [](int fd) {
    return exit_code_of(shell("[ /proc/self/fd/" + std::to_string(fd) + " -ef /dev/null ]"));
  };
  CHECK(is_null(STDIN_FILENO) == 0);
  CHECK(is_null(STDOUT_FILENO) == 0);
  CHECK(exit_code_of(shell("read line")) == 1);  // at its end from the start
  const std::string ours = fs::read_symlink("/proc/self/fd/2").string();
  CHECK(exit_code_of(shell(R"sh([ "$(readlink /proc/$$/fd/2)" = "$0" ])sh", {ours})) == 0);
}

TEST_CASE("a child has the descriptors that this process hands down, and no other") {
  std::set<int> expected = inherited_descriptors();
  expected.insert({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  CHECK(descriptors_of_a_child() == expected);
  const base::FileDescriptor kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(descriptors_of_a_child() == expected);
  const base::FileDescriptor handed_down(::open("/dev/null", O_RDONLY));
  REQUIRE(handed_down.get() < kMaxDescriptor);
  expected.insert(handed_down.get());
  CHECK(descriptors_of_a_child() == expected);
}

TEST_CASE("a child is asked to end, and may do so in its own way") {
  const Signpost signpost;
  ChildProcess child(
      shell(R"(trap 'exit 5' TERM; echo ready >"$0"; while :; do sleep 0.01; done)", {signpost.path().string()}));
  REQUIRE(signpost.line() == "ready");
  child.stop();
  CHECK_FALSE(child.is_running());
  CHECK(child.wait() == 5);
}

TEST_CASE("a child that has nothing to say to SIGTERM ends by it") {
  ChildProcess child({"sleep", "1000"});
  child.stop();
  CHECK(child.wait() == 128 + SIGTERM);
  child.stop();
  CHECK(child.wait() == 128 + SIGTERM);
}

TEST_CASE("a child that does not heed SIGTERM is killed, not before its time") {
  const Signpost signpost;
  ChildProcess child(shell(R"(trap '' TERM; echo ready >"$0"; exec sleep 1000)", {signpost.path().string()}));
  REQUIRE(signpost.line() == "ready");
  const auto began = std::chrono::steady_clock::now();
  child.stop();
  CHECK(std::chrono::steady_clock::now() - began >= ChildProcess::kStopPatience);
  CHECK_FALSE(child.is_running());
  CHECK(child.wait() == 128 + SIGKILL);
}

TEST_CASE("a child ends with its owner") {
  REQUIRE_FALSE(has_children());
  { const ChildProcess child({"sleep", "1000"}); }
  CHECK_FALSE(has_children());
}

TEST_CASE("a child is killed when the thread that started it ends without a word") {
  std::unique_ptr<ChildProcess> child;
  std::thread([&child] { child = std::make_unique<ChildProcess>(std::vector<std::string>{"sleep", "1000"}); }).join();
  CHECK(child->wait() == 128 + SIGKILL);
}
