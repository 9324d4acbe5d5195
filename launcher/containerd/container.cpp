#include "launcher/containerd/container.h"

#include <chrono>
#include <csignal>

#include "base/clock.h"
#include "base/error.h"
#include "launcher/containerd/bounded.h"

namespace launcher {
namespace {

constexpr auto kGcRoot = "containerd.io/gc.root";
/// For a task that has been killed to be gone.
constexpr base::Milliseconds kKillTimeout{30000};

}  // namespace

Container::Container(ContainerdClient client, ContainerNames names, base::RetryPolicy outage)
    : names_(std::move(names)),
      outage_(outage),
      containerd_namespace_(client.containerd_namespace()),
      containers_(client),
      tasks_(client),
      snapshots_(std::move(client), names_.snapshotter) {}

std::string Container::cgroups_path() const { return "/" + containerd_namespace_ + "/" + names_.id; }

base::Awaitable<void> Container::remove() const {
  co_await within(kRemovalPatience, "container removal", remove_all());
}

base::Awaitable<void> Container::remove_all() const {
  const bool has_task = co_await tasks_.exists(names_.id);
  if (has_task) {
    co_await tasks_.kill(names_.id, SIGKILL);
    co_await tasks_.wait(names_.id, kKillTimeout);
    co_await tasks_.remove(names_.id);
  }
  co_await containers_.remove(names_.id);
  co_await snapshots_.remove(names_.snapshot);
}

base::Awaitable<std::vector<Mount>> Container::prepare_snapshot(oci::Digest chain_id) const {
  // Until the container's record names it, nothing else keeps the snapshot from garbage collection.
  std::map<std::string, std::string> labels;
  labels[kGcRoot] = base::to_rfc3339(std::chrono::system_clock::now());
  co_return co_await snapshots_.prepare(names_.snapshot, chain_id.string(), labels);
}

base::Awaitable<void> Container::create(std::string image_name, base::Json spec) const {
  ContainerRecord record;
  record.id = names_.id;
  record.image = std::move(image_name);
  record.runtime = names_.runtime;
  record.snapshotter = names_.snapshotter;
  record.snapshot_key = names_.snapshot;
  record.spec = spec.dump();
  co_await containers_.create(std::move(record));
}

base::Awaitable<void> Container::expect_spec(base::Json spec) const {
  const auto record = co_await containers_.find(names_.id);
  if (!record) throw base::Error("the container " + names_.id + " is gone from containerd");
  const bool same = record->spec == spec.dump() && record->runtime == names_.runtime &&
                    record->snapshot_key == names_.snapshot && record->snapshotter == names_.snapshotter;
  if (!same) throw base::Error("the container " + names_.id + " was changed after it had been measured");
}

base::Awaitable<std::uint32_t> Container::create_task(TaskOutput output) const {
  std::vector<Mount> mounts = co_await snapshots_.mounts(names_.snapshot);
  co_return co_await tasks_.create(names_.id, std::move(mounts), std::move(output));
}

base::Awaitable<std::uint32_t> Container::start() const { co_return co_await tasks_.start(names_.id); }

base::Awaitable<std::uint32_t> Container::wait() const {
  const auto executor = co_await asio::this_coro::executor;
  constexpr base::Milliseconds kNoTimeout{0};
  const auto ask_again = [this] { return tasks_.exists(names_.id); };
  for (;;) {
    try {
      co_return co_await tasks_.wait(names_.id, kNoTimeout);
    } catch (const ContainerdError& error) {
      if (!error.is_unavailable()) throw;
    }
    co_await base::sleep_for(executor, outage_.first_delay);
    // The outage ends with any answer, so that the next one has all attempts again.
    const bool has_task = co_await base::retry(executor, outage_, ask_again);
    if (!has_task) throw base::Error("the task of the container " + names_.id + " is gone from containerd");
  }
}

base::Awaitable<void> Container::kill(int signal) const {
  const auto executor = co_await asio::this_coro::executor;
  const auto attempt = [this, signal] { return tasks_.kill(names_.id, static_cast<std::uint32_t>(signal)); };
  co_await base::retry(executor, outage_, attempt);
}

}  // namespace launcher
