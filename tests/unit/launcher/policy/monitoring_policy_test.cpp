#include "launcher/policy/monitoring_policy.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"
#include "tests/unit/launcher/support/some_spec.h"

using launcher::ImageLabels;
using launcher::Monitoring;
using launcher::MonitoringPolicy;

namespace {

constexpr const char* kOld = "tee.launch_policy.monitoring_memory_allow";
constexpr const char* kHardened = "tee.launch_policy.hardened_monitoring";
constexpr const char* kDebug = "tee.launch_policy.debug_monitoring";

}  // namespace

TEST_CASE("how much may be watched depends on the image and on its labels, old or new") {
  struct Row {
    ImageLabels labels;
    Monitoring on_hardened;
    Monitoring on_debug;
  };
  for (const Row& row :
       {Row{{}, Monitoring::kNone, Monitoring::kMemoryOnly},
        Row{{{kOld, "always"}}, Monitoring::kMemoryOnly, Monitoring::kMemoryOnly},
        Row{{{kOld, "debugonly"}}, Monitoring::kNone, Monitoring::kMemoryOnly},
        Row{{{kOld, "never"}}, Monitoring::kNone, Monitoring::kNone},
        Row{{{kHardened, "ALL"}}, Monitoring::kAll, Monitoring::kMemoryOnly},
        Row{{{kDebug, "none"}}, Monitoring::kNone, Monitoring::kNone},
        Row{{{kHardened, "memoryonly"}, {kDebug, "all"}}, Monitoring::kMemoryOnly, Monitoring::kAll}}) {
    const auto read = test::read_policy<MonitoringPolicy>(row.labels);
    CHECK(read.problems.empty());
    CHECK(read.policy.on_hardened == row.on_hardened);
    CHECK(read.policy.on_debug == row.on_debug);
  }
}

TEST_CASE("labels that are wrong or mixed are the author's to mend") {
  CHECK(test::read_policy<MonitoringPolicy>({{kOld, "yes"}}).problems ==
        "invalid image LABEL 'tee.launch_policy.monitoring_memory_allow': contact the image author");
  CHECK(test::read_policy<MonitoringPolicy>({{kHardened, "cpu"}, {kDebug, ""}}).problems ==
        "invalid monitoring type for hardened image: invalid monitoring type cpu "
        "(tee.launch_policy.hardened_monitoring): contact the image author; invalid monitoring type for debug image: "
        "invalid monitoring type  (tee.launch_policy.debug_monitoring): contact the image author");
  CHECK_THAT(test::read_policy<MonitoringPolicy>({{kOld, "always"}, {kDebug, "all"}}).problems,
             StartsWith("use either tee.launch_policy.monitoring_memory_allow or "));
}

TEST_CASE("more than may be watched is refused with what the image lets") {
  const auto violations = [](Monitoring wanted, Monitoring most, bool hardened) {
    launcher::LaunchSpec spec = test::some_spec();
    spec.monitoring = wanted;
    const MonitoringPolicy policy{.on_hardened = hardened ? most : Monitoring::kAll,
                                  .on_debug = hardened ? Monitoring::kAll : most};
    launcher::Problems problems;
    policy.verify(spec, hardened, problems);
    return test::text_of(problems);
  };
  for (const bool hardened : {true, false}) {
    CHECK(violations(Monitoring::kNone, Monitoring::kNone, hardened).empty());
    CHECK(violations(Monitoring::kMemoryOnly, Monitoring::kMemoryOnly, hardened).empty());
    CHECK(violations(Monitoring::kMemoryOnly, Monitoring::kAll, hardened).empty());
    CHECK(violations(Monitoring::kAll, Monitoring::kAll, hardened).empty());
    CHECK_THAT(violations(Monitoring::kMemoryOnly, Monitoring::kNone, hardened),
               StartsWith("error verifying monitoring config: spec configured for memoryOnly but policy is none ("));
    CHECK_THAT(violations(Monitoring::kAll, Monitoring::kNone, hardened),
               StartsWith("error verifying monitoring config: spec configured for all but policy is none ("));
    CHECK_THAT(violations(Monitoring::kAll, Monitoring::kMemoryOnly, hardened),
               StartsWith("error verifying monitoring config: spec configured for all monitoring, policy only allows "
                          "memory (") &&
                   ContainsSubstring(hardened ? kHardened : kDebug));
  }
}
