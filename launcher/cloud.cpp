#include "launcher/cloud.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "launcher/host/metrics.h"
#include "launcher/output/cloud_log.h"
#include "launcher/platform/cloud_logging.h"
#include "launcher/platform/cloud_monitoring.h"

namespace launcher {
namespace {

/// Of kEndBound, for what is asked of the platform first, in a launch that ends at once.
constexpr base::Milliseconds kBeginningBound{2000};
constexpr base::Milliseconds kMetricsInterval{60000};  // of the public launcher's

void add_line(CloudLog& log, base::log::Level level, std::string_view message,
              const std::vector<base::log::Field>& fields) {
  if (level < base::log::Level::kInfo) return;
  base::Json payload = {{"MESSAGE", message}};
  for (const base::log::Field& field : fields) payload[std::string(field.key)] = field.value;
  log.add(CloudLog::Speaker::kLauncher, std::string(severity_of(level)), std::move(payload));
}

}  // namespace

Cloud::Cloud(asio::any_io_executor executor, base::Clock clock, Platform& platform, CloudOptions options,
             std::optional<std::filesystem::path> google_ca)
    : executor_(std::move(executor)),
      clock_(std::move(clock)),
      platform_(platform),
      options_(options),
      google_ca_(std::move(google_ca)),
      ending_(executor_),
      metrics_(executor_) {
  if (!options_.logging) return;
  log_ = std::make_shared<CloudLog>(executor_, clock_);
  base::log::copy_to([log = log_](base::log::Level level, std::string_view message, const auto& fields) {
    add_line(*log, level, message, fields);
  });
}

Cloud::~Cloud() {
  if (log_) base::log::copy_to({});
}

std::function<void(const Output&)> Cloud::workload_lines() {
  if (!log_) return {};
  return [log = log_](const Output& line) {
    base::Json payload = {{"message", line.bytes}, {"stream", name_of(line.stream)}};
    log->add(CloudLog::Speaker::kWorkload, std::string(severity_of(line.stream)), std::move(payload));
  };
}

void Cloud::write_log() {
  if (log_ && !beginning_) beginning_.emplace(executor_, begin_log());
}

base::Awaitable<void> Cloud::begin_log() {
  for (int attempt = 1;; ++attempt) {
    const bool is_last = ending_.is_set();
    std::optional<base::Milliseconds> pause;
    try {
      co_await try_to_begin_log();
      co_return;
    } catch (const base::Error& error) {
      pause = kCloudLogPauses.pause_after(attempt, error);
      if (!pause) {
        give_up_log();
        base::log::warning("the log is not written to the cloud", {{"error", error.what()}});
      } else if (attempt == 1) {
        base::log::warning("lines of the log do not reach the cloud", {{"error", error.what()}});
      }
    }
    if (!pause || is_last) co_return;
    co_await ending_.wait_for(*pause);
  }
}

/// Nothing is collected any more.
void Cloud::give_up_log() {
  base::log::copy_to({});
  log_->give_up();
}

base::Awaitable<void> Cloud::try_to_begin_log() {
  const std::optional<GceInstance> instance = co_await platform_.gce_instance();
  if (!instance) {
    give_up_log();
    base::log::warning("there is no Cloud Logging outside of Google's cloud");
    co_return;
  }
  std::string hostname = co_await name_of_machine(platform_);
  CloudLogging::Machine machine{.instance = *instance, .hostname = std::move(hostname)};
  const auto api = std::make_shared<CloudLogging>(executor_, platform_, std::move(machine), google_ca_);
  log_->start([api](std::vector<LogEntry> entries) { return api->write(std::move(entries)); });
}

void Cloud::publish_metrics(Monitoring monitoring) {
  if (options_.monitoring && monitoring != Monitoring::kNone) metrics_.spawn(publish(monitoring));
}

base::Awaitable<void> Cloud::publish(Monitoring monitoring) {
  // Counters have counted since then, which must be one moment for all their points, however the clock is set.
  std::optional<base::WallTime> boot;
  std::optional<CloudMonitoring> api;
  bool has_warned = false;
  for (;;) {
    try {
      if (!api) {
        const std::optional<GceInstance> instance = co_await platform_.gce_instance();
        if (!instance) break;
        api.emplace(executor_, platform_, *instance, google_ca_);
      }
      const base::WallTime now = clock_.wall();
      if (!boot || *boot >= now) {
        boot = now - std::chrono::duration_cast<base::WallTime::duration>(clock_.since_boot());
      }
      Metrics metrics = read_metrics(monitoring);
      co_await api->write(std::move(metrics), *boot, now);
      has_warned = false;
    } catch (const base::Error& error) {
      if (!std::exchange(has_warned, true)) {
        base::log::warning("metrics do not reach the cloud", {{"error", error.what()}});
      }
    }
    co_await base::sleep_for(executor_, kMetricsInterval);
  }
  base::log::warning("there is no Cloud Monitoring outside of Google's cloud");
}

base::Awaitable<void> Cloud::stop_metrics() {
  metrics_.cancel();
  co_await metrics_.join();
}

base::Awaitable<void> Cloud::end_log() {
  if (!log_) co_return;
  ending_.set();
  write_log();  // of a launch that ended before the platform was reached
  co_await beginning_->wait_for(kBeginningBound);
  beginning_->cancel();
  co_await log_->finish(kEndBound - kBeginningBound - CloudLog::kCancellation);
}

}  // namespace launcher
