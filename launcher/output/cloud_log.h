#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "base/bounded_task.h"
#include "base/clock.h"
#include "launcher/platform/cloud_logging.h"

namespace launcher {

/// Of entries that wait, as JSON. What comes beyond is dropped, and counted.
inline constexpr std::size_t kMaxQueuedLogBytes = std::size_t{4} << 20U;
/// Of the entries of one request; one that is longer goes alone.
inline constexpr std::size_t kMaxLogBatchBytes = std::size_t{256} << 10U;

/// Collects entries and has them written, many at a time. Never holds anybody up: what can't be written is dropped.
class CloudLog {
 public:
  /// Throws Error: what may pass is tried again, the rest is lost.
  static constexpr base::Milliseconds kCancellation{1000};

  using Write = std::function<base::Awaitable<void>(std::vector<LogEntry>)>;

  CloudLog(asio::any_io_executor executor, base::Clock clock);
  CloudLog(const CloudLog&) = delete;
  CloudLog& operator=(const CloudLog&) = delete;
  ~CloudLog();

  /// From any thread.
  void add(std::string severity, base::Json payload);
  /// From here on entries are written, those from before first.
  void start(Write write);
  /// Writes what is left, within `bound`, and kCancellation where a request does not end by itself. Nothing is written
  /// afterwards.
  base::Awaitable<void> finish(base::Milliseconds bound);

 private:
  struct State;

  std::shared_ptr<State> state_;
  std::optional<base::BoundedTask> delivery_;
};

}  // namespace launcher
