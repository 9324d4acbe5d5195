#pragma once

#include <string>

#include "oci/descriptor.h"
#include "oci/digest.h"
#include "oci/distribution/image_documents.h"
#include "oci/image_config.h"
#include "oci/reference.h"

namespace launcher {

/// An image that can be run, known by its documents.
struct Image {
  std::string name;             ///< containerd's name: docker.io/library/x:latest
  oci::Descriptor target;       ///< what the reference resolved to: an index or a manifest
  oci::Digest manifest_digest;  ///< for the machine's platform
  oci::Digest config_digest;
  oci::ImageConfig config;
  oci::Digest chain_id;  ///< names the snapshot of the image's whole file system
};

/// What the reference leads to.
Image image_of(const oci::ImageReference& reference, const oci::ImageDocuments& documents);

}  // namespace launcher
