#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/json.h"
#include "launcher/containerd/client.h"
#include "launcher/containerd/container.h"
#include "launcher/output/workload_output.h"
#include "launcher/pull/image.h"
#include "launcher/spec/launch_spec.h"
#include "oci/distribution/registry_client.h"
#include "oci/reference.h"

namespace launcher {

/// The workload, from its image in a registry to the end of its process. The calls of a launch stand in their order;
/// those that end it may come at any time beside them.
class Workload {
 public:
  Workload(const asio::any_io_executor& executor, base::Clock clock, ContainerdClient containerd,
           const std::string& snapshotter, OutputOptions output);

  base::Awaitable<void> reach_containerd();
  base::Awaitable<Image> pull(oci::RegistryClient& registry, oci::ImageReference reference);
  /// The container, in the place of one that an earlier launch left. Returns the runtime spec that containerd was
  /// given: final arguments, environment and mounts.
  base::Awaitable<base::Json> create(Image image, LaunchSpec spec, std::string hostname,
                                     std::filesystem::path runtime_directory);
  /// Throws when containerd no longer keeps exactly `runtime_spec`: what runs is what was measured.
  base::Awaitable<void> start(base::Json runtime_spec);
  /// Returns when the process has ended with status 0 and its output has been taken. Throws WorkloadError for any other
  /// status.
  base::Awaitable<void> wait();
  /// What there is of the container, running or not.
  base::Awaitable<void> remove();

  bool runs() const noexcept { return runs_; }
  /// Threads that a sink of the output holds up.
  bool left_something_behind() const noexcept { return left_something_behind_; }
  bool has_ended() const noexcept { return is_over_.is_set(); }
  /// What has not been started will not be. A start under way comes to its end first, within kStartBound.
  base::Awaitable<void> forbid_start();
  /// What runs gets the signal that its image wants to be stopped with, or SIGTERM, and SIGKILL when it has not ended
  /// after `grace`. Returns when the process has ended, or kKillBound beyond the grace.
  base::Awaitable<void> end(std::chrono::seconds grace);
  /// Ends the grace.
  void hurry();

  static constexpr std::chrono::seconds kStartBound{5};
  static constexpr std::chrono::seconds kKillBound{5};

 private:
  base::Awaitable<std::uint32_t> wait_for_process();
  base::Awaitable<void> signal(int number);

  asio::any_io_executor executor_;
  base::Clock clock_;
  OutputOptions output_options_;
  std::chrono::nanoseconds made_;
  ContainerdClient containerd_;
  Container container_;
  std::optional<WorkloadOutput> output_;
  base::TaskGroup signals_;
  int stop_signal_ = SIGTERM;
  base::Event start_is_over_;  ///< the process runs, or could not be made or started
  base::Event is_over_;        ///< the process has ended, or is lost
  base::Event grace_is_over_;
  bool uses_containerd_ = false;  ///< before that it need not be there
  bool starting_ = false;
  bool runs_ = false;
  bool is_to_end_ = false;
  bool left_something_behind_ = false;
};

}  // namespace launcher
