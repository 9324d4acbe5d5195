#include "launcher/outcome.h"

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

TEST_CASE("messages are those that tools look for") {
  CHECK(message_of(ExitCode::kSuccess) == "workload finished successfully, shutting down the VM");
  CHECK(message_of(ExitCode::kFailure) == "workload or launcher error, shutting down the VM");
  CHECK(message_of(ExitCode::kReboot) == "rebooting VM");
  CHECK(message_of(ExitCode::kHold) == "VM remains running");
}
