#include "launcher/cloud.h"

#include "base/error.h"
#include "base/log.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/some_platform.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"

using launcher::Cloud;
using launcher::Monitoring;

// What is written is in platform/cloud_logging_test.cpp and cloud_monitoring_test.cpp, and in
// tests/integration/test_cloud_logging.py and test_monitoring.py.

namespace {

struct CloudMachine {
  test::ManualContext context;
  test::SomePlatform platform;

  void run(Cloud& cloud, Monitoring monitoring) {
    cloud.write_log();
    cloud.publish_metrics(monitoring);
    context.time.run(cloud.stop_metrics(), base::Milliseconds(1000));
    context.time.run(cloud.end_log(), base::Milliseconds(7000));
  }
};

}  // namespace

TEST_CASE("a cloud that nobody asked for gets nothing") {
  CloudMachine machine;
  Cloud cloud(machine.context.get_executor(), base::Clock::system(), machine.platform, {}, std::nullopt);
  CHECK_FALSE(cloud.workload_lines());
  machine.run(cloud, Monitoring::kAll);
  CHECK(machine.platform.access_tokens_given == 0);
}

TEST_CASE("elsewhere than in Google's cloud nothing is written, and nothing waits for it") {
  CloudMachine machine;
  Cloud cloud(machine.context.get_executor(), base::Clock::system(), machine.platform,
              {.logging = true, .monitoring = true}, std::nullopt);
  base::log::info("a line");
  REQUIRE(cloud.workload_lines());
  cloud.workload_lines()({launcher::OutputStream::kStdout, "words"});
  machine.run(cloud, Monitoring::kAll);
  CHECK(machine.platform.access_tokens_given == 0);
}

TEST_CASE("where the platform does not answer at the end, what was lost is told") {
  CloudMachine machine;
  machine.platform.instance_failure = base::Error("away");
  machine.platform.instance_failure->set_transience(base::Transience::kMayPass);
  test::CapturedLog said;
  Cloud cloud(machine.context.get_executor(), base::Clock::system(), machine.platform, {.logging = true}, std::nullopt);
  base::log::info("a line");
  machine.context.time.run(cloud.end_log(), base::Milliseconds(7000));
  CHECK_THAT(said.text(), ContainsSubstring("lines of the log do not reach the cloud\" error=away") &&
                              ContainsSubstring("lines_at_most=2"));
}

TEST_CASE("a platform that refuses for good is told once, and nothing is collected for it any more") {
  CloudMachine machine;
  machine.platform.instance_failure = base::Error("forbidden");
  test::CapturedLog said;
  Cloud cloud(machine.context.get_executor(), base::Clock::system(), machine.platform, {.logging = true}, std::nullopt);
  base::log::info("a line");
  cloud.write_log();
  machine.context.time.run(cloud.stop_metrics(), base::Milliseconds(1000));
  CHECK_THAT(said.text(), ContainsSubstring("the log is not written to the cloud\" error=forbidden"));
  base::log::info("another");
  machine.context.time.run(cloud.end_log(), base::Milliseconds(7000));
  CHECK_THAT(said.text(), !ContainsSubstring("do not reach the cloud") && !ContainsSubstring("lines_at_most"));
}

TEST_CASE("what is kept of the workload outlives its launch") {
  CloudMachine machine;
  std::function<void(const launcher::Output&)> lines;
  {
    Cloud cloud(machine.context.get_executor(), base::Clock::system(), machine.platform, {.logging = true},
                std::nullopt);
    lines = cloud.workload_lines();
  }
  lines({launcher::OutputStream::kStderr, "late words"});
  base::log::info("a line that nobody copies any more");
}
