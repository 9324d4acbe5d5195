#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/asio.h"
#include "launcher/containerd/task.h"
#include "launcher/output/line.h"
#include "launcher/spec/output.h"

namespace launcher {

struct OutputOptions {
  /// Holds the FIFOs, and the socket of the metrics: a folder of the launcher's own, which the workload does not see.
  std::filesystem::path folder = "/run/cs-launcher";
  std::filesystem::path console = "/dev/console";
  /// Gets the lines that go to the journal, too, if there is one. Must not block.
  std::function<void(const Output&)> copy = {};
};

/// What a workload writes to its standard output and error, from two FIFOs to the sinks that the operator chose.
/// Reading never waits for a sink: what a sink does not take in time is dropped, and it is said how much.
class WorkloadOutput {
 public:
  /// For what is left of the output behind the workload's end: to come, and to be taken by the sinks.
  static constexpr std::chrono::seconds kDrainBound{5};

  /// Throws SystemError when a FIFO can't be made or a sink not be opened.
  WorkloadOutput(const asio::any_io_executor& executor, LogRedirect redirect, const OutputOptions& options);
  WorkloadOutput(const WorkloadOutput&) = delete;
  WorkloadOutput& operator=(const WorkloadOutput&) = delete;
  ~WorkloadOutput();

  /// For the task; empty when nobody wants the output.
  TaskOutput paths() const;
  /// The runtime has opened the FIFOs: the output ends when it, and all that has them from it, has closed them.
  void are_open();
  /// Takes what is still to come within kDrainBound, and waits for the sinks, for all of them together as long again.
  /// False when something was left behind.
  base::Awaitable<bool> finish();
  /// Reads no more, and removes the FIFOs. Without it the reading of what no task ever writes to would have no end.
  void close();

 private:
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace launcher
