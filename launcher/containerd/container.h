#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/retry.h"
#include "launcher/containerd/container_store.h"
#include "launcher/containerd/snapshotter.h"
#include "launcher/containerd/task.h"
#include "oci/digest.h"

namespace launcher {

struct ContainerNames {
  std::string id = "tee-container";
  std::string snapshot = "tee-snapshot";
  std::string snapshotter = "overlayfs";
  std::string runtime = "io.containerd.runc.v2";
};

/// How long containerd may be away each time, such as for a restart of its own: half a minute.
inline constexpr base::RetryPolicy kContainerdOutage{.max_attempts = 60,
                                                     .first_delay = base::Milliseconds{500},
                                                     .multiplier = 1.0,
                                                     .max_delay = base::Milliseconds{500}};

/// For the whole of Container::remove.
inline constexpr base::Milliseconds kRemovalPatience{40000};

/// The workload's container, from its file system to the end of its process. The calls stand in the order of a launch:
/// remove what an earlier launch left, prepare_snapshot, create, create_task, start, wait.
class Container {
 public:
  explicit Container(ContainerdClient client, ContainerNames names = {}, base::RetryPolicy outage = kContainerdOutage);

  const ContainerNames& names() const noexcept { return names_; }
  /// The cgroup that containerd gives a container by default: /<namespace>/<id>.
  std::string cgroups_path() const;

  /// Kills and deletes the task, the container and its snapshot, as far as they exist, within kRemovalPatience.
  base::Awaitable<void> remove() const;
  /// The container's own writable file system on top of the image's `chain_id`. Mounted (ReadonlyMount), it is where
  /// the image's user is looked up.
  base::Awaitable<std::vector<Mount>> prepare_snapshot(oci::Digest chain_id) const;
  base::Awaitable<void> create(std::string image_name, base::Json spec) const;
  /// Throws unless containerd still keeps exactly `spec`, down to the byte that `create` stored.
  base::Awaitable<void> expect_spec(base::Json spec) const;
  base::Awaitable<std::uint32_t> create_task(TaskOutput output) const;
  base::Awaitable<std::uint32_t> start() const;
  /// Returns the exit status. Waits on through any number of outages of containerd, each within the policy.
  base::Awaitable<std::uint32_t> wait() const;
  base::Awaitable<void> kill(int signal) const;

 private:
  base::Awaitable<void> remove_all() const;

  ContainerNames names_;
  base::RetryPolicy outage_;
  std::string containerd_namespace_;
  ContainerStore containers_;
  TaskService tasks_;
  Snapshotter snapshots_;
};

}  // namespace launcher
