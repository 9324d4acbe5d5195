#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "base/bounded_task.h"
#include "base/clock.h"
#include "launcher/options.h"
#include "launcher/output/line.h"
#include "launcher/platform/platform.h"
#include "launcher/spec/monitoring.h"

namespace launcher {

class CloudLog;

/// Tells Google's cloud what its options say. Nothing waits for it but the end, and nothing fails with it; elsewhere
/// than in Google's cloud it says so once.
class Cloud {
 public:
  /// For the last lines, at the end.
  static constexpr std::chrono::seconds kEndBound{6};

  /// From here on lines of the log are kept. `platform` must outlive it.
  Cloud(asio::any_io_executor executor, base::Clock clock, Platform& platform, CloudOptions options,
        std::optional<std::filesystem::path> google_ca);
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;
  ~Cloud();

  /// Gets the workload's lines; empty where nobody wants them. For as long as this object.
  std::function<void(const Output&)> workload_lines();

  /// Begins to write the log, unless it has begun. To be called when the platform has been reached.
  void write_log();
  /// Writes the metrics, once a minute.
  void publish_metrics(Monitoring monitoring);

  /// No more metrics.
  base::Awaitable<void> stop_metrics();
  /// Writes what is left of the log, for kEndBound at the most.
  base::Awaitable<void> end_log();

 private:
  base::Awaitable<void> begin_log();
  base::Awaitable<void> try_to_begin_log();
  void give_up_log();
  base::Awaitable<void> publish(Monitoring monitoring);

  asio::any_io_executor executor_;
  base::Clock clock_;
  Platform& platform_;
  CloudOptions options_;
  std::optional<std::filesystem::path> google_ca_;
  std::shared_ptr<CloudLog> log_;
  std::optional<base::BoundedTask> beginning_;
  base::Event ending_;
  base::TaskGroup metrics_;
};

}  // namespace launcher
