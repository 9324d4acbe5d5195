#pragma once

#include <string>
#include <vector>

#include "launcher/containerd/client.h"
#include "oci/descriptor.h"

namespace launcher {

/// containerd's image records: names that keep content from garbage collection.
class ImageStore {
 public:
  explicit ImageStore(ContainerdClient client) : client_(std::move(client)) {}

  /// Creates the record, or lets an existing one point to `target`.
  base::Awaitable<void> put(std::string name, oci::Descriptor target) const;
  base::Awaitable<void> remove(std::string name) const;
  base::Awaitable<std::vector<std::string>> list() const;

 private:
  ContainerdClient client_;
};

}  // namespace launcher
