#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace oci {

/// Limits of what an index or a manifest may say.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxIndexEntries = 1024;
/// What overlayfs stacks, less the container's own folder on top.
inline constexpr std::size_t kMaxLayers = 499;
inline constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{4} << 20U;
/// JSON values in an index, a manifest or a config. The largest index needs half of them, a config of 499 layers with a
/// history of each a sixth.
inline constexpr std::size_t kMaxDocumentValues = std::size_t{32} << 10U;
inline constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{16} << 30U;

/// Media types of the OCI image spec 1.1 (media-types.md) and of Docker's image manifest version 2, schema 2.
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

/// OCI image spec, descriptor.md. `size` in bytes.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
};

/// An entry of an index. Most are for other machines and may be whatever those understand, so the descriptor is read
/// only when the entry is taken.
struct IndexEntry {
  std::string media_type;
  std::optional<Platform> platform;  ///< normalized
  base::Json json;
  std::string path;  ///< for errors

  /// Throws InvalidInput, which names the field.
  Descriptor descriptor() const;
};

struct ImageIndex {
  std::string media_type;
  std::vector<IndexEntry> manifests;

  /// Manifests and indexes that may hold what suits `machine`: those for its platform, the fittest first, then those
  /// that name no platform.
  std::vector<const IndexEntry*> candidates(const Platform& machine) const;
  /// Why there are none: "no manifest for linux/amd64", with the variants that the processor can't run.
  std::string why_none(const Platform& machine) const;
};

struct ImageManifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  ///< lowest first, at least one; a digest always with the same size
};

bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);
bool is_config(std::string_view media_type);
/// tar, tar+gzip and tar+zstd of OCI and Docker, foreign (non-distributable) layers among them.
bool is_layer(std::string_view media_type);
/// A layer that a registry need not have, as it may not be given to everybody.
bool is_foreign_layer(std::string_view media_type);
/// The name under which every containerd unpacks a layer of this media type: some do not know Docker's for zstd.
std::string unpackable_type(std::string_view media_type);

/// What an index or a manifest says of itself in its mediaType; empty when it says nothing. For one that was served
/// under a type which tells nothing. Throws InvalidInput for what is no JSON object.
std::string inner_media_type(std::string_view bytes);

/// Both parse untrusted bytes that were announced as `media_type` and throw InvalidInput, which names the field.
ImageIndex parse_index(std::string_view bytes, std::string_view media_type);
ImageManifest parse_manifest(std::string_view bytes, std::string_view media_type);

}  // namespace oci
