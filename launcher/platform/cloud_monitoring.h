#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/json.h"
#include "launcher/host/metrics.h"
#include "launcher/platform/google_api.h"
#include "launcher/platform/platform.h"

namespace launcher {

inline constexpr auto kCloudMonitoringUrl = "https://monitoring.googleapis.com";
/// Of one request (projects.timeSeries.create).
inline constexpr std::size_t kMaxTimeSeries = 200;

/// A metric as one time series with one point (TimeSeries of the Cloud Monitoring API, v3), of the type that Google's
/// node-problem-detector writes: compute.googleapis.com/guest/memory/bytes_used. Counters have counted since `boot`.
base::Json time_series_of(const Metric& metric, const base::Json& resource, base::WallTime boot, base::WallTime now);

/// Google's Cloud Monitoring API, v3.
class CloudMonitoring {
 public:
  /// `platform` must outlive it.
  CloudMonitoring(const asio::any_io_executor& executor, Platform& platform, const GceInstance& instance,
                  const std::optional<std::filesystem::path>& google_ca, std::string url = kCloudMonitoringUrl);

  /// timeSeries.create, one try. Throws Error.
  base::Awaitable<void> write(Metrics metrics, base::WallTime boot, base::WallTime now);

 private:
  GoogleApi api_;
  std::string url_;
  base::Json resource_;
};

}  // namespace launcher
