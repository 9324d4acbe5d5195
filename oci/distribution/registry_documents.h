#pragma once

#include <string>
#include <utility>

#include "oci/distribution/image_documents.h"
#include "oci/distribution/registry_client.h"
#include "oci/reference.h"

namespace oci {

/// The documents of an image in a registry. Throws InvalidInput, RegistryError, net::HttpError.
class RegistryDocuments final : public DocumentSource {
 public:
  /// `registry` must outlive it.
  RegistryDocuments(RegistryClient& registry, ImageReference reference)
      : registry_(registry), reference_(std::move(reference)) {}

  base::Awaitable<ManifestBytes> resolve() override { return registry_.resolve(reference_); }
  base::Awaitable<ManifestBytes> manifest(Descriptor wanted) override {
    return registry_.manifest(reference_, std::move(wanted));
  }
  base::Awaitable<std::string> config(Descriptor wanted) override {
    return registry_.small_blob(reference_, std::move(wanted));
  }

 private:
  RegistryClient& registry_;
  ImageReference reference_;
};

}  // namespace oci
