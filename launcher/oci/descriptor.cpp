#include "launcher/oci/descriptor.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/error.h"
#include "base/json.h"

namespace launcher {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr std::uint64_t kSchemaVersion = 2;
constexpr base::JsonLimits kManifestLimits{.max_bytes = kMaxManifestBytes, .max_depth = 16};

constexpr std::array<std::string_view, 5> kLayerTypes = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

Platform parse_platform(const JsonObject& object) {
  return {object.string("os"), object.string("architecture"), object.string_or("variant", "")};
}

Descriptor parse_descriptor(const JsonObject& object, std::uint64_t max_size) {
  Descriptor descriptor{object.string("mediaType"), Digest::parse(object.string("digest"), object.path() + ".digest"),
                        object.unsigned_integer("size")};
  if (descriptor.size > max_size) {
    throw InvalidInput(object.path() + ".size", "more than the " + std::to_string(max_size) + " bytes accepted");
  }
  if (const auto platform = object.optional_object("platform")) descriptor.platform = parse_platform(*platform);
  return descriptor;
}

/// What an index and a manifest have in common. A document that could be read as either is refused, because two readers
/// might then see different images under one digest.
void check_frame(const JsonObject& object, std::string_view media_type, std::initializer_list<const char*> foreign) {
  if (object.unsigned_integer("schemaVersion") != kSchemaVersion) {
    throw InvalidInput(object.path() + ".schemaVersion", "only version 2 is supported");
  }
  const auto inner = object.optional_string("mediaType");
  if (inner && *inner != media_type) {
    throw InvalidInput(object.path() + ".mediaType", "is not the media type under which it was served");
  }
  for (const char* key : foreign) {
    if (object.has(key)) throw InvalidInput(object.path() + "." + key, "does not belong here");
  }
}

}  // namespace

Platform Platform::host() {
#if defined(__x86_64__)
  return {"linux", "amd64"};
#elif defined(__aarch64__)
  return {"linux", "arm64"};
#else
#error "the name that OCI gives this architecture is not known"
#endif
}

bool is_index(std::string_view media_type) { return media_type == kOciIndex || media_type == kDockerIndex; }
bool is_manifest(std::string_view media_type) { return media_type == kOciManifest || media_type == kDockerManifest; }
bool is_config(std::string_view media_type) { return media_type == kOciConfig || media_type == kDockerConfig; }
bool is_layer(std::string_view media_type) { return std::ranges::find(kLayerTypes, media_type) != kLayerTypes.end(); }

ImageIndex parse_index(std::string_view bytes, std::string_view media_type) {
  if (!is_index(media_type)) throw InvalidInput("image index", "unsupported media type");
  const base::Json document = base::parse_json(bytes, "image index", kManifestLimits);
  const JsonObject object(document, "image index");
  check_frame(object, media_type, {"config", "layers", "fsLayers"});
  ImageIndex index{std::string(media_type), {}};
  const auto entries = object.objects_or_empty("manifests");
  if (entries.size() > kMaxIndexEntries) throw InvalidInput("image index.manifests", "too many entries");
  for (const JsonObject& entry : entries) index.manifests.push_back(parse_descriptor(entry, kMaxManifestBytes));
  return index;
}

ImageManifest parse_manifest(std::string_view bytes, std::string_view media_type) {
  if (is_index(media_type)) throw InvalidInput("image manifest", "an index stands where a manifest belongs");
  if (!is_manifest(media_type)) throw InvalidInput("image manifest", "unsupported media type");
  const base::Json document = base::parse_json(bytes, "image manifest", kManifestLimits);
  const JsonObject object(document, "image manifest");
  check_frame(object, media_type, {"manifests", "fsLayers"});
  ImageManifest manifest{std::string(media_type), parse_descriptor(object.object("config"), kMaxConfigBytes), {}};
  if (!is_config(manifest.config.media_type)) {
    throw InvalidInput("image manifest.config.mediaType", "is not an image configuration");
  }
  const auto layers = object.objects_or_empty("layers");
  if (layers.empty()) throw InvalidInput("image manifest.layers", "an image without layers cannot be run");
  if (layers.size() > kMaxLayers) throw InvalidInput("image manifest.layers", "too many layers");
  for (const JsonObject& layer : layers) {
    manifest.layers.push_back(parse_descriptor(layer, kMaxLayerBytes));
    if (!is_layer(manifest.layers.back().media_type)) {
      throw InvalidInput(layer.path() + ".mediaType", "unsupported kind of layer");
    }
  }
  return manifest;
}

const Descriptor& select_manifest(const ImageIndex& index, const Platform& platform) {
  for (const Descriptor& entry : index.manifests) {
    if (entry.platform && entry.platform->os == platform.os && entry.platform->architecture == platform.architecture &&
        is_manifest(entry.media_type)) {
      return entry;
    }
  }
  throw InvalidInput("image index", "no manifest for " + platform.os + "/" + platform.architecture);
}

}  // namespace launcher
