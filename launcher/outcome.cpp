#include "launcher/outcome.h"

#include <boost/system/system_error.hpp>

namespace launcher {

std::string_view message_of(ExitCode code) {
  switch (code) {
    case ExitCode::kSuccess: return "workload finished successfully, shutting down the VM";
    case ExitCode::kFailure: return "workload or launcher error, shutting down the VM";
    case ExitCode::kPanic: return "launcher panic, shutting down the VM";
    case ExitCode::kReboot: return "rebooting VM";
    case ExitCode::kHold: return "VM remains running";
  }
  throw base::Error("unknown exit code");
}

// The whole table:
//
//   what happened            | spec not known | debug | hardened
//   -------------------------+----------------+-------+---------------------------------
//   success                  |       -        |   4   | 3 if Always, else 0
//   kReboot (TPM, disks)     |       3        |   3   | 3
//   kRestart (workload, ...) |       1        |   4   | 3 if Always or OnFailure, else 1
//   kGiveUp                  |       1        |   4   | 1

ExitCode exit_code_of_success(const LaunchContext& context) {
  if (!context.hardened) return ExitCode::kHold;
  return context.restart_policy == RestartPolicy::kAlways ? ExitCode::kReboot : ExitCode::kSuccess;
}

ExitCode exit_code_of_failure(const LaunchContext& context, base::Action action) {
  if (action == base::Action::kReboot) return ExitCode::kReboot;
  if (!context.spec_is_known) return ExitCode::kFailure;
  if (!context.hardened) return ExitCode::kHold;
  const bool restarts = context.restart_policy != RestartPolicy::kNever;
  return action == base::Action::kRestart && restarts ? ExitCode::kReboot : ExitCode::kFailure;
}

Ending ending_of(const std::exception_ptr& failure, const LaunchContext& context, bool stop_requested) {
  if (!failure) return {exit_code_of_success(context), ""};
  try {
    std::rethrow_exception(failure);
  } catch (const base::Error& error) {
    return {exit_code_of_failure(context, error.action()), error.what()};
  } catch (const boost::system::system_error& error) {
    if (!stop_requested) return {ExitCode::kPanic, error.what()};
    return {exit_code_of_failure(context, base::Action::kGiveUp), "the launch was broken off by a signal"};
  } catch (const std::exception& error) {
    return {ExitCode::kPanic, error.what()};
  } catch (...) {  // not hidden: a panic as well
    return {ExitCode::kPanic, "an exception without a text"};
  }
}

}  // namespace launcher
