#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/containerd/content_store.h"
#include "launcher/oci/descriptor.h"
#include "launcher/oci/image_config.h"
#include "launcher/registry/registry_client.h"

namespace launcher {

/// How deep indexes may lie in each other, and how many manifests and indexes behind the first are looked at.
inline constexpr std::size_t kMaxIndexDepth = 4;
inline constexpr std::size_t kMaxManifestsTried = 16;

/// What a reference leads to on this machine.
struct ImageDocuments {
  std::vector<ManifestBytes> path;  ///< what the reference resolved to, indexes on the way, and last the manifest
  ImageManifest manifest;
  std::string config_bytes;
  ImageConfig config;
};

/// Resolves `reference` once and chooses for `machine` as containerd does: of an index' entries the fittest, or one
/// that names no platform and whose config does; nested indexes are searched. A manifest that the reference names
/// directly need not say for which machines it is. What `content` has is not fetched. Throws InvalidInput,
/// RegistryError, net::HttpError, ContainerdError.
base::Awaitable<ImageDocuments> find_documents(RegistryClient& registry, ContentStore content, ImageReference reference,
                                               Platform machine);

}  // namespace launcher
