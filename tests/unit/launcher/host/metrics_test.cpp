#include "launcher/host/metrics.h"

#include <algorithm>

#include "base/error.h"
#include "tests/unit/catch.h"

using launcher::Metric;
using launcher::Metrics;

namespace {

constexpr auto kMeminfo =
    "MemTotal:  1000 kB\nMemFree:  100 kB\nBuffers: 10 kB\nCached: 200 kB\nActive(anon): 1 kB\nInactive(anon): 2 kB\n"
    "Active(file): 3 kB\nInactive(file): 4 kB\nUnevictable: 5 kB\nDirty: 6 kB\nWriteback: 7 kB\nSlab: 50 kB\n"
    "HugePages_Total:       0\n";

/// The only one of that name whose labels have this value.
double value_of(const Metrics& metrics, const std::string& name, const std::string& label = "") {
  std::vector<double> found;
  for (const Metric& metric : metrics) {
    const bool fits =
        label.empty() || std::ranges::any_of(metric.labels, [&](const auto& l) { return l.second == label; });
    if (metric.name == name && fits) found.push_back(metric.value);
  }
  REQUIRE(found.size() == 1);
  return found[0];
}

}  // namespace

TEST_CASE("memory is told by what it is used for, in bytes") {
  const Metrics some = launcher::memory_metrics(kMeminfo, false);
  CHECK(value_of(some, "memory/bytes_used", "free") == 100 * 1024);
  CHECK(value_of(some, "memory/bytes_used", "used") == 640 * 1024);
  CHECK(value_of(some, "memory/bytes_used", "slab") == 50 * 1024);
  CHECK(std::ranges::all_of(some, [](const Metric& metric) { return metric.name == "memory/bytes_used"; }));
  const Metrics all = launcher::memory_metrics(kMeminfo, true);
  CHECK(value_of(all, "memory/anonymous_used", "inactive") == 2 * 1024);
  CHECK(value_of(all, "memory/page_cache_used", "active") == 3 * 1024);
  CHECK(value_of(all, "memory/unevictable_used") == 5 * 1024);
  CHECK(value_of(all, "memory/dirty_used", "writeback") == 7 * 1024);
  CHECK_THROWS_AS(launcher::memory_metrics("MemTotal: 1 kB\n", false), base::InvalidInput);
  CHECK_THROWS_AS(launcher::memory_metrics("MemTotal: x kB\n", false), base::InvalidInput);
}

TEST_CASE("processors are told by what they did, in seconds, and by their load") {
  const Metrics metrics =
      launcher::cpu_metrics("cpu  100 200 300 400 500 600 700 800 0 0\ncpu0 1 2\n", "0.25 1 2 1/2 3\n");
  CHECK(value_of(metrics, "cpu/usage_time", "user") == 1);
  CHECK(value_of(metrics, "cpu/usage_time", "steal") == 8);
  CHECK(value_of(metrics, "cpu/load_1m") == 0.25);
  CHECK_THROWS_AS(launcher::cpu_metrics("cpu 1 2\n", "0 0 0"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::cpu_metrics("", "0 0 0"), base::InvalidInput);
}

TEST_CASE("disks that did something are told, each with reads and writes") {
  const Metrics metrics = launcher::disk_metrics(
      "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
      " 254       0 vda 10 1 100 2000 20 2 200 4000 3 5000 6000 0 0 0 0 0 0\n");
  CHECK(metrics.size() == 11);
  CHECK(value_of(metrics, "disk/io_time") == 5);
  CHECK(value_of(metrics, "disk/weighted_io") == 6);
  CHECK(value_of(metrics, "disk/avg_queue_len") == 3);
  CHECK(value_of(metrics, "disk/operation_count", "read") == 10);
  CHECK(value_of(metrics, "disk/merged_operation_count", "write") == 2);
  CHECK(value_of(metrics, "disk/operation_bytes_count", "write") == 200 * 512);
  CHECK(value_of(metrics, "disk/operation_time", "read") == 2);
  CHECK_THROWS_AS(launcher::disk_metrics("254 0 vda 1 2\n"), base::InvalidInput);
  CHECK_THROWS_AS(launcher::disk_metrics("254 0\n"), base::InvalidInput);
}

TEST_CASE("a file system is told by what of it is used") {
  const Metrics metrics = launcher::file_system_metrics("/x", 25, 75);
  CHECK(value_of(metrics, "disk/bytes_used", "used") == 25);
  CHECK(value_of(metrics, "disk/percent_used", "free") == 75);
  CHECK(launcher::file_system_metrics("/x", 0, 0).size() == 2);
}

TEST_CASE("this machine has what was asked for") {
  CHECK(launcher::read_metrics(launcher::Monitoring::kNone).empty());
  const Metrics memory = launcher::read_metrics(launcher::Monitoring::kMemoryOnly);
  CHECK(memory.size() == 5);
  const Metrics all = launcher::read_metrics(launcher::Monitoring::kAll);
  CHECK(value_of(all, "host/uptime") > 0);
  CHECK(all.size() > memory.size());
}

TEST_CASE("OpenMetrics has each family once, and escapes labels") {
  CHECK(launcher::open_metrics({{.name = "b/x", .labels = {{"l", "a\"\\\n"}}, .value = 1.5},
                                {.name = "a/y", .value = 3, .is_counter = true},
                                {.name = "b/x", .value = 2}}) ==
        "# TYPE guest_a_y counter\nguest_a_y_total 3\n"
        "# TYPE guest_b_x gauge\nguest_b_x{l=\"a\\\"\\\\\\n\"} 1.5\nguest_b_x 2\n# EOF\n");
  CHECK(launcher::open_metrics({}) == "# EOF\n");
}
