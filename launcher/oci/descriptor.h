#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/oci/digest.h"

namespace launcher {

/// Limits of what an index or a manifest may say.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxIndexEntries = 1024;
inline constexpr std::size_t kMaxLayers = 256;
inline constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{4} << 20U;
inline constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{16} << 30U;

/// Media types of the OCI image spec 1.1 (media-types.md) and of Docker's image manifest version 2, schema 2.
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

struct Platform {
  std::string os;
  std::string architecture;  ///< in Go's words: amd64, arm64
  std::string variant = {};

  /// The platform this program runs on.
  static Platform host();
};

/// OCI image spec, descriptor.md. `size` in bytes.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform = {};
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

struct ImageManifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  ///< lowest first, at least one
};

bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);
bool is_config(std::string_view media_type);
/// tar, tar+gzip and, for OCI, tar+zstd. Foreign (non-distributable) layers are not accepted.
bool is_layer(std::string_view media_type);

/// Both parse untrusted bytes that were announced as `media_type` and throw InvalidInput, which names the field.
ImageIndex parse_index(std::string_view bytes, std::string_view media_type);
ImageManifest parse_manifest(std::string_view bytes, std::string_view media_type);

/// The manifest for `platform`; throws InvalidInput when the index has none.
const Descriptor& select_manifest(const ImageIndex& index, const Platform& platform);

}  // namespace launcher
