#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/bounded_task.h"
#include "base/clock.h"
#include "base/retry.h"
#include "launcher/platform/cloud_logging.h"

namespace launcher {

/// Of entries that wait, as JSON. What comes beyond is dropped, and counted.
inline constexpr std::size_t kMaxQueuedLogBytes = std::size_t{4} << 20U;
/// Of these, for the launcher's own entries: a workload that writes without end must not hide them.
inline constexpr std::size_t kReservedLogBytes = std::size_t{512} << 10U;
/// Of the entries of one request, and of one of them, which is no longer there either ("Quotas and limits" of Cloud
/// Logging). A longer one is dropped, and counted.
inline constexpr std::size_t kMaxLogBatchBytes = std::size_t{256} << 10U;

/// Between tries, before the end: of finding out where to write, and of writing.
inline constexpr base::RetryPolicy kCloudLogPauses{.max_attempts = std::numeric_limits<int>::max(),
                                                   .first_delay = base::Milliseconds(1000),
                                                   .multiplier = 2.0,
                                                   .max_delay = base::Milliseconds(60000),
                                                   .jitter = 0.1,
                                                   .max_retry_after = base::Milliseconds(60000)};

/// Collects entries and has them written, many at a time. Never holds anybody up: what can't be written is dropped, and
/// their number is told in the log.
class CloudLog {
 public:
  /// How long a request that is under way at the end may take to notice.
  static constexpr base::Milliseconds kCancellation{1000};

  enum class Speaker { kLauncher, kWorkload };

  /// Throws Error: what may pass is tried again, the rest is lost.
  using Write = std::function<base::Awaitable<void>(std::vector<LogEntry>)>;

  CloudLog(asio::any_io_executor executor, base::Clock clock);
  CloudLog(const CloudLog&) = delete;
  CloudLog& operator=(const CloudLog&) = delete;
  ~CloudLog();

  /// From any thread.
  void add(Speaker speaker, std::string severity, base::Json payload);
  /// From here on entries are written, those from before first.
  void start(Write write);
  /// Writes what is left, within `bound`, and kCancellation where a request does not end by itself. What is there then,
  /// or comes later, is lost; of the former the number is told.
  base::Awaitable<void> finish(base::Milliseconds bound);
  /// There is nobody who could take entries: they are lost, those that wait and those to come.
  void give_up();

 private:
  struct State;

  std::shared_ptr<State> state_;
  std::optional<base::BoundedTask> delivery_;
};

}  // namespace launcher
