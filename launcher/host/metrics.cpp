#include "launcher/host/metrics.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "launcher/host/machine_checks.h"

namespace launcher {
namespace {

using base::InvalidInput;

constexpr std::size_t kMaxStatisticsBytes = std::size_t{1} << 20U;
constexpr double kSectorBytes = 512;  ///< whatever the device's own are (Documentation/block/stat.rst)
constexpr double kMillisecondsPerSecond = 1000;

double number_of(std::string_view word, std::string_view file) {
  double value = 0;
  const auto [behind, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || behind != word.data() + word.size())
    throw InvalidInput(file, "\"" + std::string(word.substr(0, 32)) + "\" is no number");
  return value;
}

double number_at(const std::vector<std::string_view>& words, std::size_t index, std::string_view file) {
  if (index >= words.size()) throw InvalidInput(file, "a line is too short");
  return number_of(words[index], file);
}

/// In bytes, by name.
std::map<std::string, double, std::less<>> parse_meminfo(std::string_view text) {
  constexpr std::string_view kFile = "/proc/meminfo";
  std::map<std::string, double, std::less<>> bytes;
  for (const std::string& line : base::split(text, '\n')) {
    const std::vector<std::string_view> words = base::words_of(line);
    if (words.size() != 3 || words[2] != "kB") continue;  // HugePages_Total and the like are no sizes
    bytes[std::string(words[0].substr(0, words[0].find(':')))] = number_of(words[1], kFile) * 1024;
  }
  return bytes;
}

double size_of(const std::map<std::string, double, std::less<>>& sizes, std::string_view name) {
  const auto found = sizes.find(name);
  if (found == sizes.end()) throw InvalidInput("/proc/meminfo", "has no line " + std::string(name));
  return found->second;
}

Metric gauge(std::string name, std::string_view state, double value) {
  return {.name = std::move(name), .labels = {{"state", std::string(state)}}, .value = value};
}

/// memory/bytes_used as memory_bytes_used, with what OpenMetrics wants before it.
std::string family_of(const Metric& metric) {
  std::string name = "guest_" + metric.name;
  std::ranges::replace(name, '/', '_');
  return name;
}

void append_number(std::string& text, double value) {
  std::array<char, 64> digits{};
  const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text.append(digits.data(), code == std::errc() ? end : digits.data());
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
}

void append_sample(std::string& text, const Metric& metric) {
  text += family_of(metric) + (metric.is_counter ? "_total" : "");
  std::string labels;
  for (const auto& [name, value] : metric.labels) {
    labels += (labels.empty() ? "" : ",") + name + "=\"";
    append_escaped(labels, value);
    labels += '"';
  }
  if (!labels.empty()) text += "{" + labels + "}";
  text += ' ';
  append_number(text, metric.value);
  text += '\n';
}

std::string read_proc(const char* file) { return base::read_text_file(file, kMaxStatisticsBytes); }

void add(Metrics& to, Metrics more) { std::ranges::move(more, std::back_inserter(to)); }

}  // namespace

Metrics memory_metrics(std::string_view meminfo, bool all) {
  const auto sizes = parse_meminfo(meminfo);
  const auto size = [&](std::string_view name) { return size_of(sizes, name); };
  const double free = size("MemFree");
  const double buffered = size("Buffers");
  const double cached = size("Cached");
  const double slab = size("Slab");
  const double used = size("MemTotal") - free - buffered - cached - slab;
  Metrics metrics = {gauge("memory/bytes_used", "free", free), gauge("memory/bytes_used", "used", used),
                     gauge("memory/bytes_used", "buffered", buffered), gauge("memory/bytes_used", "cached", cached),
                     gauge("memory/bytes_used", "slab", slab)};
  if (!all) return metrics;
  metrics.push_back(gauge("memory/anonymous_used", "active", size("Active(anon)")));
  metrics.push_back(gauge("memory/anonymous_used", "inactive", size("Inactive(anon)")));
  metrics.push_back(gauge("memory/page_cache_used", "active", size("Active(file)")));
  metrics.push_back(gauge("memory/page_cache_used", "inactive", size("Inactive(file)")));
  metrics.push_back({.name = "memory/unevictable_used", .value = size("Unevictable")});
  metrics.push_back(gauge("memory/dirty_used", "dirty", size("Dirty")));
  metrics.push_back(gauge("memory/dirty_used", "writeback", size("Writeback")));
  return metrics;
}

Metrics cpu_metrics(std::string_view stat, std::string_view loadavg) {
  constexpr std::string_view kFile = "/proc/stat";
  constexpr std::array<std::string_view, 8> kStates = {"user",   "nice", "system",  "idle",
                                                       "iowait", "irq",  "softirq", "steal"};
  const std::vector<std::string_view> words = base::words_of(stat.substr(0, stat.find('\n')));
  if (words.empty() || words[0] != "cpu") throw InvalidInput(kFile, "does not begin with all processors");
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  Metrics metrics;
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    Metric metric = gauge("cpu/usage_time", kStates[i], number_at(words, i + 1, kFile) / ticks);
    metric.is_counter = true;
    metrics.push_back(std::move(metric));
  }
  metrics.push_back({.name = "cpu/load_1m", .value = number_at(base::words_of(loadavg), 0, "/proc/loadavg")});
  return metrics;
}

Metrics disk_metrics(std::string_view diskstats) {
  constexpr std::string_view kFile = "/proc/diskstats";
  Metrics metrics;
  for (const std::string& line : base::split(diskstats, '\n')) {
    const std::vector<std::string_view> words = base::words_of(line);
    const auto field = [&](std::size_t number) { return number_at(words, number + 2, kFile); };
    if (words.size() < 3) throw InvalidInput(kFile, "a line is too short");
    if (field(1) == 0 && field(5) == 0) continue;
    const auto count = [&](const char* name, double value, const char* direction = nullptr) {
      Metric metric{
          .name = name, .labels = {{"device_name", std::string(words[2])}}, .value = value, .is_counter = true};
      if (direction != nullptr) metric.labels.emplace_back("direction", direction);
      metrics.push_back(std::move(metric));
    };
    count("disk/io_time", field(10) / kMillisecondsPerSecond);
    count("disk/weighted_io", field(11) / kMillisecondsPerSecond);
    count("disk/operation_count", field(1), "read");
    count("disk/operation_count", field(5), "write");
    count("disk/merged_operation_count", field(2), "read");
    count("disk/merged_operation_count", field(6), "write");
    count("disk/operation_bytes_count", field(3) * kSectorBytes, "read");
    count("disk/operation_bytes_count", field(7) * kSectorBytes, "write");
    count("disk/operation_time", field(4) / kMillisecondsPerSecond, "read");
    count("disk/operation_time", field(8) / kMillisecondsPerSecond, "write");
    metrics.push_back(
        {.name = "disk/avg_queue_len", .labels = {{"device_name", std::string(words[2])}}, .value = field(9)});
  }
  return metrics;
}

Metrics file_system_metrics(const std::string& mount_point, double used_bytes, double free_bytes) {
  constexpr double kPercent = 100;
  const double total = used_bytes + free_bytes;
  const auto of_state = [&](const char* name, const char* state, double value) {
    return Metric{.name = name, .labels = {{"mount_point", mount_point}, {"state", state}}, .value = value};
  };
  Metrics metrics = {of_state("disk/bytes_used", "used", used_bytes), of_state("disk/bytes_used", "free", free_bytes)};
  if (total > 0) {
    metrics.push_back(of_state("disk/percent_used", "used", used_bytes / total * kPercent));
    metrics.push_back(of_state("disk/percent_used", "free", free_bytes / total * kPercent));
  }
  return metrics;
}

Metrics host_metrics(std::string_view uptime) {
  return {{.name = "host/uptime", .value = number_at(base::words_of(uptime), 0, "/proc/uptime"), .is_counter = true}};
}

Metrics read_metrics(Monitoring monitoring) {
  Metrics metrics;
  if (monitoring == Monitoring::kNone) return metrics;
  const bool all = monitoring == Monitoring::kAll;
  add(metrics, memory_metrics(read_proc("/proc/meminfo"), all));
  if (!all) return metrics;
  add(metrics, cpu_metrics(read_proc("/proc/stat"), read_proc("/proc/loadavg")));
  add(metrics, disk_metrics(read_proc("/proc/diskstats")));
  struct statvfs status {};
  if (::statvfs(kStateVolume, &status) == 0) {
    const auto block = static_cast<double>(status.f_frsize);
    const double free = static_cast<double>(status.f_bfree) * block;
    add(metrics, file_system_metrics(kStateVolume, static_cast<double>(status.f_blocks) * block - free, free));
  }
  add(metrics, host_metrics(read_proc("/proc/uptime")));
  return metrics;
}

std::string open_metrics(const Metrics& metrics) {
  // All samples of a family stand together.
  std::vector<const Metric*> sorted;
  for (const Metric& metric : metrics) sorted.push_back(&metric);
  std::ranges::stable_sort(sorted, {}, [](const Metric* metric) { return metric->name; });
  std::string text;
  std::string_view family;
  for (const Metric* metric : sorted) {
    if (metric->name != family) {
      family = metric->name;
      text += "# TYPE " + family_of(*metric) + (metric->is_counter ? " counter\n" : " gauge\n");
    }
    append_sample(text, *metric);
  }
  return text + "# EOF\n";
}

}  // namespace launcher
