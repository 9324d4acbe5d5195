#pragma once

#include <chrono>
#include <memory>

#include "base/asio.h"
#include "base/service_manager.h"
#include "launcher/options.h"
#include "launcher/outcome.h"

namespace launcher {

/// One launch, from the operator's metadata to the end of the workload.
class Launch {
 public:
  /// `service_manager` is told each step, and must live longer.
  Launch(asio::any_io_executor executor, Options options, const base::ServiceManager& service_manager);
  ~Launch();
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  /// Ends with the workload, or with the first failure; by then everything that was started is gone again. Throws
  /// nothing: a bug is kPanic.
  base::Awaitable<ExitCode> run();

  /// Asks for an end: a workload that runs gets SIGTERM and, after Options::stop_grace or when this is called again,
  /// SIGKILL; a launch under way is broken off. `run` ends within kStopBound then, and the grace where a workload runs.
  void stop();

  /// How long the end takes at most beyond the grace of a workload.
  static constexpr std::chrono::seconds kStopBound{46};

  /// Whether something did not end within its bound. The process must then end without waiting for its threads.
  bool left_something_behind() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace launcher
