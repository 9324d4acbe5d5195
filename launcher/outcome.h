#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/error.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// The process's exit code, which decides what becomes of the machine.
enum class ExitCode : int {
  kSuccess = 0,  ///< power off
  kFailure = 1,  ///< power off
  kPanic = 2,    ///< power off: a bug
  kReboot = 3,   ///< reboot
  kHold = 4,     ///< nothing: the machine stays for a look at it
};

/// "workload finished successfully, shutting down the VM" and so on.
std::string_view message_of(ExitCode code);

/// The workload ended with another status than 0; it may do better after a fresh start.
class WorkloadError : public base::Error {
 public:
  WorkloadError() : base::Error("workload finished with a non-zero return code", base::Action::kRestart) {}
};

/// What the launch knew when it ended.
struct LaunchContext {
  bool spec_is_known = false;  ///< before that, restart policy and kind of image do not count
  bool hardened = true;
  RestartPolicy restart_policy = RestartPolicy::kNever;
};

ExitCode exit_code_of_success(const LaunchContext& context);
ExitCode exit_code_of_failure(const LaunchContext& context, base::Action action);

/// How a launch ended.
struct Ending {
  ExitCode exit_code = ExitCode::kSuccess;
  std::string error;  ///< one line; empty when it ended well
};

/// `failure` is what the launch threw, null when it ended well. What the network library throws is its
/// answer to a cancellation if a signal came.
/// What is neither that nor a base::Error is a bug: kPanic.
Ending ending_of(const std::exception_ptr& failure, const LaunchContext& context, bool stop_requested);

}  // namespace launcher
