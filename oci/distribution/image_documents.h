#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/asio.h"
#include "oci/descriptor.h"
#include "oci/distribution/registry_client.h"
#include "oci/image_config.h"
#include "oci/platform.h"

namespace oci {

/// How deep indexes may lie in each other, and how many manifests and indexes behind the first are looked at.
inline constexpr std::size_t kMaxIndexDepth = 4;
inline constexpr std::size_t kMaxManifestsTried = 16;

/// What a reference leads to for one machine.
struct ImageDocuments {
  std::vector<ManifestBytes> path;  ///< what the reference resolved to, indexes on the way, and last the manifest
  ImageManifest manifest;
  std::string config_bytes;
  ImageConfig config;
};

/// Where the documents of one image come from.
class DocumentSource {
 public:
  virtual ~DocumentSource() = default;

  /// What the image is named by: an index or a manifest.
  virtual base::Awaitable<ManifestBytes> resolve() = 0;
  /// An index or a manifest by its descriptor, of its size and digest.
  virtual base::Awaitable<ManifestBytes> manifest(Descriptor wanted) = 0;
  /// A configuration by its descriptor, of its size and digest.
  virtual base::Awaitable<std::string> config(Descriptor wanted) = 0;
};

/// Resolves once and chooses for `machine` as containerd does: of an index' entries the fittest, or one that names no
/// platform and whose config does; nested indexes are searched. A manifest that is named directly need not say for
/// which machines it is. Throws InvalidInput, and what the source throws.
base::Awaitable<ImageDocuments> find_documents(DocumentSource& source, Platform machine);

}  // namespace oci
