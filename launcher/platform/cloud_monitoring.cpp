#include "launcher/platform/cloud_monitoring.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace launcher {
namespace {

/// What is not as the name says, or in another unit.
struct Kind {
  std::string_view name;
  std::string_view type;  ///< behind compute.googleapis.com/guest/
  bool is_integer = true;
  double factor = 1;
};
constexpr double kMilli = 1000;
constexpr std::array kKinds = {
    Kind{.name = "cpu/usage_time", .type = "cpu/usage_time", .is_integer = false},
    Kind{.name = "cpu/load_1m", .type = "cpu/load_1m", .is_integer = false},
    Kind{.name = "disk/avg_queue_len", .type = "disk/queue_length", .is_integer = false},
    Kind{.name = "disk/percent_used", .type = "disk/percent_used", .is_integer = false},
    Kind{.name = "disk/io_time", .type = "disk/io_time", .factor = kMilli},
    Kind{.name = "disk/weighted_io", .type = "disk/weighted_io_time", .factor = kMilli},
    Kind{.name = "disk/operation_time", .type = "disk/operation_time", .factor = kMilli},
    Kind{.name = "host/uptime", .type = "system/uptime"},
};

Kind kind_of(const Metric& metric) {
  const auto* const found = std::ranges::find(kKinds, std::string_view(metric.name), &Kind::name);
  return found != kKinds.end() ? *found : Kind{.name = metric.name, .type = metric.name};
}

/// Uptime counts, but the public metric is what it is at the moment.
bool is_cumulative(const Metric& metric) { return metric.is_counter && metric.name != "host/uptime"; }

base::Json labels_of(const Metric& metric) {
  base::Json labels = base::Json::object();
  for (const auto& [name, value] : metric.labels) labels[name == "mount_point" ? "device_name" : name] = value;
  return labels;
}

}  // namespace

base::Json time_series_of(const Metric& metric, const base::Json& resource, base::WallTime boot, base::WallTime now) {
  const Kind kind = kind_of(metric);
  const double value = metric.value * kind.factor;
  base::Json interval = {{"endTime", base::to_rfc3339_micro(now)}};
  if (is_cumulative(metric)) interval["startTime"] = base::to_rfc3339_micro(boot);
  // 64-bit integers are text in Google's JSON.
  const base::Json typed =
      kind.is_integer ? base::Json{{"int64Value", std::to_string(static_cast<std::int64_t>(std::llround(value)))}}
                      : base::Json{{"doubleValue", value}};
  return {
      {"metric", {{"type", "compute.googleapis.com/guest/" + std::string(kind.type)}, {"labels", labels_of(metric)}}},
      {"resource", resource},
      {"metricKind", is_cumulative(metric) ? "CUMULATIVE" : "GAUGE"},
      {"valueType", kind.is_integer ? "INT64" : "DOUBLE"},
      {"points", base::Json::array({{{"interval", std::move(interval)}, {"value", typed}}})}};
}

CloudMonitoring::CloudMonitoring(const asio::any_io_executor& executor, Platform& platform, const GceInstance& instance,
                                 const std::optional<std::filesystem::path>& google_ca, std::string url)
    : api_(executor, "Cloud Monitoring", platform, google_ca),
      url_(std::move(url) + "/v3/projects/" + instance.project_id + "/timeSeries"),
      resource_(instance.resource()) {}

base::Awaitable<void> CloudMonitoring::write(Metrics metrics, base::WallTime boot, base::WallTime now) {
  for (std::size_t begin = 0; begin < metrics.size(); begin += kMaxTimeSeries) {
    base::Json series = base::Json::array();
    const std::size_t end = std::min(metrics.size(), begin + kMaxTimeSeries);
    for (std::size_t i = begin; i < end; ++i) series.push_back(time_series_of(metrics[i], resource_, boot, now));
    base::Json body = {{"timeSeries", std::move(series)}};
    co_await api_.post(url_, std::move(body));
  }
}

}  // namespace launcher
