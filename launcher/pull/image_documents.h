#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/containerd/content_store.h"
#include "oci/descriptor.h"
#include "oci/distribution/registry_client.h"
#include "oci/image_config.h"

namespace launcher {

/// How deep indexes may lie in each other, and how many manifests and indexes behind the first are looked at.
inline constexpr std::size_t kMaxIndexDepth = 4;
inline constexpr std::size_t kMaxManifestsTried = 16;

/// What a reference leads to on this machine.
struct ImageDocuments {
  std::vector<oci::ManifestBytes> path;  ///< what the reference resolved to, indexes on the way, and last the manifest
  oci::ImageManifest manifest;
  std::string config_bytes;
  oci::ImageConfig config;
};

/// Resolves `reference` once and chooses for `machine` as containerd does: of an index' entries the fittest, or one
/// that names no platform and whose config does; nested indexes are searched. A manifest that the reference names
/// directly need not say for which machines it is. What `content` has is not fetched. Throws InvalidInput,
/// RegistryError, net::HttpError, ContainerdError.
base::Awaitable<ImageDocuments> find_documents(oci::RegistryClient& registry, ContentStore content,
                                               oci::ImageReference reference, oci::Platform machine);

}  // namespace launcher
