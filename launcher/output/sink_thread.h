#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/asio.h"
#include "launcher/output/line.h"

namespace launcher {

/// Of output that waits for its sink, each piece with what it costs to keep.
inline constexpr std::size_t kMaxQueuedOutputBytes = std::size_t{4} << 20U;

/// Gives output to a sink that may block, such as a serial line, on a thread of its own. What finds the queue full is
/// dropped; the sink is told how many lines it was, as soon as there is room again.
class SinkThread {
 public:
  /// Called on the thread, piece by piece. What it throws is logged once, and the sink gets nothing more.
  using Deliver = std::function<void(const Output&)>;

  /// `name` stands in the log.
  SinkThread(asio::any_io_executor executor, std::string name, Deliver deliver);
  SinkThread(const SinkThread&) = delete;
  SinkThread& operator=(const SinkThread&) = delete;
  /// A thread that is blocked is left behind for the process's end.
  ~SinkThread();

  /// Never blocks.
  void offer(Output output);
  /// Waits until all has been delivered, for `bound` at the most. False when something has not.
  base::Awaitable<bool> finish(base::Milliseconds bound);

  /// Lines, or pieces of lines, from the beginning on.
  std::uint64_t dropped() const;

 private:
  struct State;

  std::shared_ptr<State> state_;
  std::shared_ptr<base::Event> done_;
};

}  // namespace launcher
