#include "base/child_process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace base {
namespace {

constexpr std::chrono::milliseconds kPollInterval{2};
constexpr int kSignalBase = 128;

/// Between fork and exec: only async-signal-safe calls. Tells the parent why exec failed through `report`, which exec
/// closes.
[[noreturn]] void run_child(char* const* arguments, int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent ended before the line above
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  if (null > STDERR_FILENO) ::close(null);
  ::execvp(arguments[0], arguments);
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &code, sizeof(code));
  ::_exit(1);
}

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError("making a pipe", errno);
  const FileDescriptor reader(ends[0]);
  FileDescriptor writer(ends[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw SystemError("forking", errno);
  if (pid_ == 0) run_child(arguments.data(), ends[1], parent);
  writer = FileDescriptor();
  int exec_error = 0;
  ssize_t got = 0;
  while ((got = ::read(reader.get(), &exec_error, sizeof(exec_error))) < 0 && errno == EINTR) {
  }
  if (got == 0) return;
  stop();
  throw SystemError("starting " + command.front(), exec_error);
}

ChildProcess::~ChildProcess() { stop(); }

void ChildProcess::take_status(int status) {
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  pid_ = -1;
}

bool ChildProcess::is_running() {
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) take_status(status);
  return pid_ > 0;
}

int ChildProcess::wait() {
  int status = 0;
  while (pid_ > 0) {
    if (::waitpid(pid_, &status, 0) == pid_) {
      take_status(status);
    } else if (errno != EINTR) {
      throw SystemError("waiting for a child process", errno);
    }
  }
  return exit_code_;
}

void ChildProcess::stop() noexcept {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (is_running() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kPollInterval);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = SIGKILL;  // as which it counts where nobody can be asked
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  take_status(status);
}

}  // namespace base
