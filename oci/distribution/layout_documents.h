#pragma once

#include <filesystem>
#include <string>

#include "oci/distribution/image_documents.h"

namespace oci {

/// The documents of an image in a folder (OCI image spec 1.1, image-layout.md), as skopeo and docker buildx write it.
/// Everything is checked against its digest. Throws InvalidInput, SystemError.
class LayoutDocuments final : public DocumentSource {
 public:
  /// `tag` is the image's org.opencontainers.image.ref.name; empty where there is but one image.
  LayoutDocuments(std::filesystem::path folder, std::string tag) : folder_(std::move(folder)), tag_(std::move(tag)) {}

  base::Awaitable<ManifestBytes> resolve() override;
  base::Awaitable<ManifestBytes> manifest(Descriptor wanted) override;
  base::Awaitable<std::string> config(Descriptor wanted) override;

 private:
  std::string blob(const Descriptor& wanted, std::size_t max_bytes) const;
  Descriptor named() const;

  std::filesystem::path folder_;
  std::string tag_;
};

}  // namespace oci
