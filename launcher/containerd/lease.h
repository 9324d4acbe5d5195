#pragma once

#include <string>
#include <vector>

#include "launcher/containerd/client.h"

namespace launcher {

/// containerd's leases: what is made under one is kept from garbage collection until the lease goes.
class Lease {
 public:
  /// A new lease that containerd ends by itself after a day, should this program not live to do it.
  static base::Awaitable<Lease> create(ContainerdClient client);

  /// One that a launch has left which ended without releasing it.
  static Lease of_former_launch(const ContainerdClient& client, const std::string& id) {
    return Lease(client.with_lease(id));
  }

  /// Calls through this client belong to the lease.
  const ContainerdClient& client() const noexcept { return client_; }
  const std::string& id() const noexcept { return client_.lease_id(); }

  /// Keeps something that existed before the lease: `type` is "content" or "snapshots/<snapshotter>".
  base::Awaitable<void> add(std::string type, std::string resource_id) const;
  /// Ends the lease; one that is gone already is fine. What only it had kept is collected some time later.
  base::Awaitable<void> release() const;
  /// Ends the lease and waits until what only it had kept is collected.
  base::Awaitable<void> release_and_collect() const;

  static base::Awaitable<std::vector<std::string>> list(ContainerdClient client);

 private:
  explicit Lease(ContainerdClient client) : client_(std::move(client)) {}
  base::Awaitable<void> remove(bool wait_for_collection) const;

  ContainerdClient client_;
};

}  // namespace launcher
