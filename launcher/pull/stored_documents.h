#pragma once

#include <optional>
#include <string>
#include <utility>

#include "launcher/containerd/content_store.h"
#include "oci/distribution/image_documents.h"
#include "oci/distribution/registry_documents.h"

namespace launcher {

/// The documents of an image in a registry, of which those that containerd has already are not fetched. Throws what
/// the registry's throw, and ContainerdError.
class StoredDocuments final : public oci::DocumentSource {
 public:
  StoredDocuments(ContentStore content, oci::RegistryDocuments registry)
      : content_(std::move(content)), registry_(std::move(registry)) {}

  base::Awaitable<oci::ManifestBytes> resolve() override { return registry_.resolve(); }
  base::Awaitable<oci::ManifestBytes> manifest(oci::Descriptor wanted) override;
  base::Awaitable<std::string> config(oci::Descriptor wanted) override;

 private:
  base::Awaitable<std::optional<std::string>> read_stored(oci::Descriptor wanted, std::size_t max_bytes);

  ContentStore content_;
  oci::RegistryDocuments registry_;
};

}  // namespace launcher
