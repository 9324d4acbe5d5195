#include "launcher/spec/monitoring.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/read_attributes.h"

using launcher::Attributes;
using launcher::Monitoring;
using launcher::read_monitoring;
using test::read_attributes;

TEST_CASE("monitoring is what either of its attributes says") {
  const auto monitoring_of = [](const Attributes& attributes) {
    const auto read = read_attributes(attributes, read_monitoring);
    CHECK(read.problems.empty());
    return read.value;
  };
  CHECK(monitoring_of({}) == Monitoring::kNone);
  CHECK(monitoring_of({{"tee-monitoring-memory-enable", "true"}}) == Monitoring::kMemoryOnly);
  CHECK(monitoring_of({{"tee-monitoring-memory-enable", "0"}}) == Monitoring::kNone);
  CHECK(monitoring_of({{"tee-monitoring-memory-enable", ""}}) == Monitoring::kNone);
  CHECK(monitoring_of({{"tee-monitoring-enable", ""}}) == Monitoring::kNone);
  CHECK(monitoring_of({{"tee-monitoring-enable", "None"}}) == Monitoring::kNone);
  CHECK(monitoring_of({{"tee-monitoring-enable", "MEMORYONLY"}}) == Monitoring::kMemoryOnly);
  CHECK(monitoring_of({{"tee-monitoring-enable", "all"}}) == Monitoring::kAll);
}

TEST_CASE("wrong monitoring is refused, and so are both attributes at once") {
  const auto problems_of = [](const Attributes& attributes) {
    return read_attributes(attributes, read_monitoring).problems;
  };
  CHECK(problems_of({{"tee-monitoring-enable", "cpu"}}) == "tee-monitoring-enable: invalid monitoring type cpu");
  CHECK(problems_of({{"tee-monitoring-memory-enable", "none"}}) ==
        "invalid value for tee-monitoring-memory-enable (not a boolean): \"none\"");
  CHECK(problems_of({{"tee-monitoring-enable", "none"}, {"tee-monitoring-memory-enable", "false"}}) ==
        "both tee-monitoring-memory-enable and tee-monitoring-enable are specified, only one is permitted");
}

TEST_CASE("all is more than memory, and that more than nothing") {
  CHECK(Monitoring::kNone < Monitoring::kMemoryOnly);
  CHECK(Monitoring::kMemoryOnly < Monitoring::kAll);
}
