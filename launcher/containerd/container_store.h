#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/containerd/client.h"

namespace launcher {

/// What containerd keeps of a container. It has no labels on purpose: an image's labels, which may look like
/// containerd's own, must not get there.
struct ContainerRecord {
  std::string id;
  std::string image;
  std::string runtime;
  std::string snapshotter;
  std::string snapshot_key;
  std::string spec;  ///< runtime spec, JSON
};

/// containerd's container records.
class ContainerStore {
 public:
  explicit ContainerStore(ContainerdClient client) : client_(std::move(client)) {}

  base::Awaitable<void> create(ContainerRecord record) const;
  base::Awaitable<std::optional<ContainerRecord>> find(std::string id) const;
  /// Fine when there is none.
  base::Awaitable<void> remove(std::string id) const;
  base::Awaitable<std::vector<std::string>> list() const;

 private:
  ContainerdClient client_;
};

}  // namespace launcher
