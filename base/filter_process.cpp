#include "base/filter_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

extern char** environ;

namespace base {
namespace {

/// A file in memory, for which nobody has to read while another one writes.
FileDescriptor memory_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) throw SystemError("memfd_create", errno);
  return FileDescriptor(fd);
}

void write_all(const FileDescriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno != EINTR) throw SystemError("writing a program's input", errno);
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  ::lseek(file.get(), 0, SEEK_SET);
}

std::string read_all(const FileDescriptor& file, std::size_t max_bytes, const std::filesystem::path& program) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  if (size < 0) throw SystemError("reading a program's output", errno);
  if (static_cast<std::size_t>(size) > max_bytes) throw Error(program.string() + " writes too much");
  std::string text(static_cast<std::size_t>(size), '\0');
  ssize_t count = 0;
  do count = ::pread(file.get(), text.data(), text.size(), 0);
  while (count < 0 && errno == EINTR);
  if (count != size) throw SystemError("reading a program's output", errno);
  return text;
}

class Spawned {
 public:
  Spawned(const std::filesystem::path& program, const std::array<int, 3>& files) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; ++i) ::posix_spawn_file_actions_adddup2(&actions, files.at(static_cast<std::size_t>(i)), i);
    std::string path = program.string();
    std::array<char*, 2> arguments = {path.data(), nullptr};
    const int code = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (code != 0) throw SystemError("starting " + path, code);
  }
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;
  ~Spawned() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Nothing of it is left when this returns; throws when it is not over in time.
  int wait(std::chrono::milliseconds patience) {
    const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U)));
    if (handle.get() < 0) throw SystemError("pidfd_open", errno);
    pollfd over{.fd = handle.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&over, 1, static_cast<int>(patience.count()));
    if (ready <= 0) throw Error("it takes too long");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    constexpr int kSignalled = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

}  // namespace

FilterResult run_filter(const std::filesystem::path& program, std::string_view input, FilterLimits limits) {
  const FileDescriptor in = memory_file("input");
  const FileDescriptor out = memory_file("output");
  const FileDescriptor errors = memory_file("errors");
  write_all(in, input);
  Spawned spawned(program, {in.get(), out.get(), errors.get()});
  FilterResult result;
  try {
    result.exit_code = spawned.wait(limits.patience);
  } catch (const Error& error) {
    throw error.in_context(program.string());
  }
  result.output = read_all(out, limits.max_output_bytes, program);
  result.errors = read_all(errors, limits.max_output_bytes, program);
  return result;
}

}  // namespace base
