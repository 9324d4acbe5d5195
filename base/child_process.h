#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace base {

/// A child process that ends when this goes: by SIGTERM, and by SIGKILL when it does not heed that in time. It is also
/// killed when the thread that started it ends without a word.
class ChildProcess {
 public:
  /// Between SIGTERM and SIGKILL.
  static constexpr std::chrono::seconds kStopPatience{5};

  /// `command` is a program, looked for in PATH, and its arguments. Standard input and output are /dev/null; standard
  /// error stays, and so does what is not close-on-exec. Throws SystemError, also when there is no such program.
  explicit ChildProcess(std::vector<std::string> command);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  bool is_running();
  /// Waits for the end; the exit code, or 128 plus the signal's number.
  int wait();
  void stop() noexcept;

 private:
  void take_status(int status);

  pid_t pid_ = -1;  ///< -1 once it has been waited for
  int exit_code_ = 0;
};

}  // namespace base
