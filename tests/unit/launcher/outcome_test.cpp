#include "launcher/outcome.h"

#include <new>
#include <stdexcept>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "tests/unit/catch.h"

using base::Action;
using launcher::ExitCode;
using launcher::LaunchContext;
using launcher::RestartPolicy;

TEST_CASE("the table of exit codes") {
  const auto context = [](bool hardened, RestartPolicy policy) {
    return LaunchContext{.spec_is_known = true, .hardened = hardened, .restart_policy = policy};
  };
  struct Row {
    RestartPolicy policy;
    ExitCode success;
    ExitCode workload;
  };
  for (const Row& row : {Row{RestartPolicy::kNever, ExitCode::kSuccess, ExitCode::kFailure},
                         Row{RestartPolicy::kOnFailure, ExitCode::kSuccess, ExitCode::kReboot},
                         Row{RestartPolicy::kAlways, ExitCode::kReboot, ExitCode::kReboot}}) {
    const LaunchContext hardened = context(true, row.policy);
    CHECK(exit_code_of_success(hardened) == row.success);
    CHECK(exit_code_of_failure(hardened, launcher::WorkloadError().action()) == row.workload);
    CHECK(exit_code_of_failure(hardened, Action::kGiveUp) == ExitCode::kFailure);
    CHECK(exit_code_of_failure(hardened, Action::kReboot) == ExitCode::kReboot);
    const LaunchContext debug = context(false, row.policy);
    CHECK(exit_code_of_success(debug) == ExitCode::kHold);
    CHECK(exit_code_of_failure(debug, Action::kRestart) == ExitCode::kHold);
    CHECK(exit_code_of_failure(debug, Action::kGiveUp) == ExitCode::kHold);
    CHECK(exit_code_of_failure(debug, Action::kReboot) == ExitCode::kReboot);
  }
}

TEST_CASE("before the launch spec is known, every image powers off") {
  const LaunchContext unknown{.spec_is_known = false, .hardened = false, .restart_policy = RestartPolicy::kAlways};
  CHECK(exit_code_of_failure(unknown, Action::kGiveUp) == ExitCode::kFailure);
  CHECK(exit_code_of_failure(unknown, Action::kRestart) == ExitCode::kFailure);
}

TEST_CASE("whatever a launch throws is an ending, and only a bug is a panic") {
  const LaunchContext known{.spec_is_known = true, .hardened = true, .restart_policy = RestartPolicy::kNever};
  const auto aborted = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
  const auto ending = [&](const std::exception_ptr& failure, bool stop_requested = false) {
    return launcher::ending_of(failure, known, stop_requested);
  };
  CHECK(ending(nullptr).exit_code == ExitCode::kSuccess);
  CHECK(ending(nullptr).error.empty());
  CHECK(ending(std::make_exception_ptr(base::Error("why"))).exit_code == ExitCode::kFailure);
  CHECK(ending(std::make_exception_ptr(base::Error("why"))).error == "why");
  CHECK(ending(std::make_exception_ptr(base::Error("why", Action::kReboot))).exit_code == ExitCode::kReboot);
  CHECK(ending(aborted, true).exit_code == ExitCode::kFailure);
  CHECK(ending(aborted, true).error == "the launch was broken off by a signal");
  CHECK(ending(aborted).exit_code == ExitCode::kPanic);
  CHECK(ending(std::make_exception_ptr(std::length_error("too long")), true).exit_code == ExitCode::kPanic);
  CHECK(ending(std::make_exception_ptr(std::bad_alloc())).exit_code == ExitCode::kPanic);
  CHECK(ending(std::make_exception_ptr(7)).exit_code == ExitCode::kPanic);
  CHECK_FALSE(ending(std::make_exception_ptr(7)).error.empty());
}

TEST_CASE("messages are those that tools look for") {
  CHECK(message_of(ExitCode::kSuccess) == "workload finished successfully, shutting down the VM");
  CHECK(message_of(ExitCode::kFailure) == "workload or launcher error, shutting down the VM");
  CHECK(message_of(ExitCode::kReboot) == "rebooting VM");
  CHECK(message_of(ExitCode::kHold) == "VM remains running");
}
