#pragma once

#include <optional>
#include <string>

#include "launcher/containerd/content_store.h"
#include "launcher/containerd/lease.h"
#include "oci/descriptor.h"
#include "oci/distribution/registry_client.h"

namespace launcher {

/// One layer on its way from the registry into the content store. What containerd has, in whatever namespace, or gets
/// from another client meanwhile, is there.
class LayerDownload {
 public:
  LayerDownload(const Lease& lease, oci::Descriptor layer)
      : lease_(lease), store_(lease.client()), layer_(std::move(layer)), ref_(new_ingest_ref()) {}

  base::Awaitable<void> run(oci::RegistryClient& registry, const oci::ImageReference& reference);
  /// Leaves no ingest. For a download that will not be finished, or has been.
  base::Awaitable<void> abandon();

 private:
  base::Awaitable<void> fetch(oci::RegistryClient& registry, const oci::ImageReference& reference);
  base::Awaitable<void> open();
  base::Awaitable<void> restart();

  const Lease& lease_;
  ContentStore store_;
  oci::Descriptor layer_;
  std::string ref_;
  std::optional<ContentWriter> writer_;
};

}  // namespace launcher
