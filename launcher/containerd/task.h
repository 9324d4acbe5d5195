#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/containerd/client.h"
#include "launcher/containerd/mount.h"

namespace launcher {

/// Where a task's output goes: the path of a FIFO, or of a file that exists, which is appended to. Empty: discarded.
struct TaskOutput {
  std::string stdout_path = {};
  std::string stderr_path = {};
};

/// containerd's tasks: the running side of a container. There is one task for each container.
class TaskService {
 public:
  explicit TaskService(ContainerdClient client) : client_(std::move(client)) {}

  /// Makes the process, which then waits to be started; returns its pid.
  base::Awaitable<std::uint32_t> create(std::string container_id, std::vector<Mount> rootfs, TaskOutput output) const;
  base::Awaitable<std::uint32_t> start(std::string container_id) const;
  /// Returns the exit status when the process has ended: 0 to 255, 128 + N for signal N. No timeout when it is zero.
  base::Awaitable<std::uint32_t> wait(std::string container_id, base::Milliseconds timeout) const;
  /// A process that has ended already is fine.
  base::Awaitable<void> kill(std::string container_id, std::uint32_t signal) const;
  /// Of a task that has ended. Fine when there is none.
  base::Awaitable<void> remove(std::string container_id) const;
  base::Awaitable<bool> exists(std::string container_id) const;

 private:
  ContainerdClient client_;
};

}  // namespace launcher
