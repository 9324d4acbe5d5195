#include "launcher/workload.h"

#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "launcher/container/mount_points.h"
#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/container/stop_signal.h"
#include "launcher/container/user.h"
#include "launcher/containerd/mount.h"
#include "launcher/outcome.h"

namespace launcher {
namespace {

using base::Action;
using base::Awaitable;
using base::Error;
using base::log::info;

/// A name that the image does not know is a failure to make the container, as everywhere.
User user_of(const std::filesystem::path& root, const std::string& user) {
  try {
    return resolve_user(root, user);
  } catch (const Error& error) {
    throw error.in_context("failed to create the container", Action::kRestart);
  }
}

/// Other runtimes pass over what they do not know, or refuse to run it; neither is the operator's fault.
int stop_signal_of(const oci::ImageConfig& config) {
  if (config.stop_signal.empty()) return SIGTERM;
  const std::optional<int> number = parse_stop_signal(config.stop_signal);
  if (!number) base::log::warning("the image's STOPSIGNAL is no signal", {{"stop_signal", config.stop_signal}});
  return number.value_or(SIGTERM);
}

}  // namespace

Workload::Workload(const asio::any_io_executor& executor, base::Clock clock, ContainerdClient containerd,
                   const std::string& snapshotter, OutputOptions output)
    : executor_(executor),
      clock_(std::move(clock)),
      output_options_(std::move(output)),
      made_(clock_.since_boot()),
      containerd_(std::move(containerd)),
      container_(containerd_, {.snapshotter = snapshotter}),
      signals_(executor),
      start_is_over_(executor),
      is_over_(executor),
      grace_is_over_(executor) {}

Awaitable<void> Workload::reach_containerd() {
  const std::string version = co_await containerd_.version();
  info("connected to containerd", {{"version", version}});
}

Awaitable<Image> Workload::pull(oci::RegistryClient& registry, oci::ImageReference reference) {
  const auto began = clock_.since_boot();
  uses_containerd_ = true;
  try {
    PullOptions options{.snapshotter = container_.names().snapshotter};
    Image image = co_await launcher::pull(registry, containerd_, std::move(reference), std::move(options));
    info("image pulled", {{"image", image.name},
                          {"digest", image.target.digest.string()},
                          {"image_id", image.config_digest.string()},
                          {"pull_sec", base::to_seconds_text(clock_.since_boot() - began)}});
    co_return image;
  } catch (const Error& error) {
    throw error.in_context("cannot pull the image", Action::kGiveUp);
  }
}

Awaitable<base::Json> Workload::create(Image image, LaunchSpec spec, std::string hostname,
                                       std::filesystem::path runtime_directory) {
  co_await container_.remove();
  output_.emplace(executor_, spec.log_redirect, output_options_);
  stop_signal_ = stop_signal_of(image.config);
  const std::vector<Mount> mounts = co_await container_.prepare_snapshot(image.chain_id);
  ProcessSpec process = process_of(image.config, spec, hostname);
  const ReadonlyMount file_system(mounts);
  process.user = user_of(file_system.path(), image.config.user);
  base::Json runtime_spec =
      build_runtime_spec(process, setup_of(spec, std::move(runtime_directory), container_.cgroups_path()));
  settle_mount_points(file_system.path(), runtime_spec);
  try {
    co_await container_.create(image.name, runtime_spec);
  } catch (const Error& error) {
    throw error.in_context("failed to create the container", Action::kRestart);
  }
  co_return runtime_spec;
}

Awaitable<void> Workload::start(base::Json runtime_spec) {
  // From here on containerd is left to end what it is at: a task that is half made is nobody's to remove.
  starting_ = true;
  const std::shared_ptr<void> started_or_not(nullptr, [this](void*) {
    starting_ = false;
    start_is_over_.set();
  });
  try {
    TaskOutput output = output_->paths();
    co_await container_.create_task(std::move(output));
    output_->are_open();
  } catch (const Error& error) {
    throw error.in_context("failed to create the task", is_to_end_ ? Action::kGiveUp : Action::kRestart);
  }
  if (is_to_end_) throw boost::system::system_error(asio::error::operation_aborted);
  co_await container_.expect_spec(std::move(runtime_spec));
  info("Workload setup completed", {{"setup_sec", base::to_seconds_text(clock_.since_boot() - made_)}});
  try {
    co_await container_.start();
  } catch (const Error& error) {
    throw error.in_context("failed to start the task", Action::kRestart);
  }
  runs_ = true;
  info("workload task started", {{"uptime_sec", base::to_seconds_text(clock_.since_boot())}});
}

Awaitable<void> Workload::wait() {
  const auto began = clock_.since_boot();
  std::uint32_t status = 0;
  std::optional<Error> lost;
  try {
    status = co_await wait_for_process();
  } catch (const Error& error) {
    lost = error.in_context("the workload is lost", Action::kRestart);
  }
  const std::string duration = base::to_seconds_text(clock_.since_boot() - began);
  // What it has written is worth as much when containerd has lost it.
  const bool took_all = co_await output_->finish();
  if (!took_all) left_something_behind_ = true;
  if (lost) throw Error(*lost);
  if (status == 0) {
    info("workload task ended and returned 0", {{"workload_execution_sec", duration}});
    co_return;
  }
  base::log::error("workload task ended and returned non-zero",
                   {{"workload_execution_sec", duration}, {"return_code", std::uint64_t{status}}});
  throw WorkloadError();
}

/// From its end on there is nothing to signal, whatever becomes of its output.
Awaitable<std::uint32_t> Workload::wait_for_process() {
  const std::shared_ptr<void> ended_or_lost(nullptr, [this](void*) {
    runs_ = false;
    grace_is_over_.set();
    is_over_.set();
  });
  co_return co_await container_.wait();
}

Awaitable<void> Workload::remove() {
  signals_.cancel();
  std::exception_ptr failure;
  try {
    co_await container_.remove();
  } catch (const ContainerdError& error) {
    if (uses_containerd_ || !error.is_unavailable()) failure = std::current_exception();
  } catch (...) {  // not hidden: thrown below
    failure = std::current_exception();
  }
  co_await signals_.join();
  if (output_) output_->close();  // of a launch that has come to no task, or has lost it
  if (failure) std::rethrow_exception(failure);
}

Awaitable<void> Workload::forbid_start() {
  is_to_end_ = true;
  if (starting_) co_await start_is_over_.wait_for(kStartBound);
}

Awaitable<void> Workload::end(std::chrono::seconds grace) {
  if (!runs_) co_return;
  info("received a signal, the workload is asked to end", {{"grace_sec", std::int64_t{grace.count()}}});
  signals_.spawn(signal(stop_signal_));
  co_await grace_is_over_.wait_for(grace);
  if (runs_) {
    base::log::warning(grace_is_over_.is_set() ? "received a second signal, the workload is killed"
                                               : "the workload has not ended within its grace, it is killed");
    signals_.spawn(signal(SIGKILL));
  }
  co_await is_over_.wait_for(kKillBound);
}

void Workload::hurry() { grace_is_over_.set(); }

Awaitable<void> Workload::signal(int number) {
  try {
    co_await container_.kill(number);
  } catch (const Error& error) {
    base::log::error("signalling the workload failed", {{"error", error.what()}});
  }
}

}  // namespace launcher
