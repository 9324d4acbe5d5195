#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/spec/monitoring.h"

namespace launcher {

/// One number of a machine's metric, named as Google's node-problem-detector does ("memory/bytes_used").
struct Metric {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value = 0;
  bool is_counter = false;  ///< it only ever grows; else it is what it is at the moment
};

using Metrics = std::vector<Metric>;

// Each reads a file of /proc (proc(5)), and throws InvalidInput for what is none.

/// /proc/meminfo, in bytes: memory/bytes_used, and for `all` anonymous_used, page_cache_used, unevictable_used and
/// dirty_used, too.
Metrics memory_metrics(std::string_view meminfo, bool all);
/// /proc/stat, in seconds by state, and /proc/loadavg: cpu/usage_time, cpu/load_1m.
Metrics cpu_metrics(std::string_view stat, std::string_view loadavg);
/// /proc/diskstats, of every device that has read or written: disk/io_time, weighted_io, avg_queue_len (what is under
/// way at the moment), operation_count, merged_operation_count, operation_bytes_count, operation_time.
Metrics disk_metrics(std::string_view diskstats);
/// Of a file system: disk/bytes_used and disk/percent_used.
Metrics file_system_metrics(const std::string& mount_point, double used_bytes, double free_bytes);
/// /proc/uptime: host/uptime.
Metrics host_metrics(std::string_view uptime);

/// Of this machine, as far as `monitoring` goes. Throws Error.
Metrics read_metrics(Monitoring monitoring);

/// As text of OpenMetrics 1.0: guest_memory_bytes_used and so on; counters end with _total.
std::string open_metrics(const Metrics& metrics);

}  // namespace launcher
