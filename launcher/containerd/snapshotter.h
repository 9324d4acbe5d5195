#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "launcher/containerd/client.h"
#include "launcher/containerd/mount.h"

namespace launcher {

/// One of containerd's snapshotters: file systems in layers. A name is a committed (read-only) snapshot, a key an
/// active one.
class Snapshotter {
 public:
  explicit Snapshotter(ContainerdClient client, std::string name = "overlayfs")
      : client_(std::move(client)), name_(std::move(name)) {}

  const std::string& name() const noexcept { return name_; }

  base::Awaitable<bool> exists(std::string key) const;
  /// A writable snapshot on top of `parent` (none when empty).
  base::Awaitable<std::vector<Mount>> prepare(std::string key, std::string parent,
                                              std::map<std::string, std::string> labels) const;
  base::Awaitable<std::vector<Mount>> mounts(std::string key) const;
  base::Awaitable<void> commit(std::string key, std::string name) const;
  /// Fine when there is no such snapshot.
  base::Awaitable<void> remove(std::string key) const;
  /// Bytes on disk of this layer alone.
  base::Awaitable<std::uint64_t> usage(std::string key) const;
  base::Awaitable<std::vector<std::string>> list() const;

 private:
  ContainerdClient client_;
  std::string name_;
};

}  // namespace launcher
