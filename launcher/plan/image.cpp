#include "launcher/plan/image.h"

#include "oci/chain_id.h"

namespace launcher {

Image image_of(const oci::ImageReference& reference, const oci::ImageDocuments& documents) {
  return {.name = reference.name(),
          .target = documents.path.front().descriptor(),
          .manifest_digest = documents.path.back().digest,
          .config_digest = documents.manifest.config.digest,
          .config = documents.config,
          .chain_id = oci::chain_ids(documents.config.diff_ids).back()};
}

}  // namespace launcher
