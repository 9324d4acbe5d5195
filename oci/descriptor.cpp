#include "oci/descriptor.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "oci/exact_names.h"

namespace oci {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr std::uint64_t kSchemaVersion = 2;
constexpr base::JsonLimits kManifestLimits{
    .max_bytes = kMaxManifestBytes, .max_depth = 16, .max_values = kMaxDocumentValues};

constexpr std::string_view kDockerZstdLayer = "application/vnd.docker.image.rootfs.diff.tar.zstd";
constexpr std::string_view kOciZstdLayer = "application/vnd.oci.image.layer.v1.tar+zstd";

constexpr std::string_view kUntyped = "application/octet-stream";

constexpr std::array<std::string_view, 6> kLayerTypes = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    kOciZstdLayer,
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    kDockerZstdLayer,
};
constexpr std::array<std::string_view, 5> kForeignLayerTypes = {
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};

/// Fit to be shown: v1 to v9, v8.2.
bool is_variant(const Platform& platform) {
  constexpr std::size_t kLongest = 4;
  const std::string_view variant = platform.variant;
  return variant.starts_with('v') && variant.size() <= kLongest &&
         variant.find_first_not_of("0123456789.", 1) == std::string_view::npos;
}

/// Everything that is read of an entry or of a descriptor.
void expect_exact_descriptor(const JsonObject& object) {
  expect_exact_names(object, {"mediaType", "digest", "size", "platform"});
}

IndexEntry parse_entry(const JsonObject& object) {
  expect_exact_descriptor(object);
  IndexEntry entry{object.string_or("mediaType", ""), {}, object.raw(), object.path()};
  const auto platform = object.optional_object("platform");
  if (platform) {
    expect_exact_names(*platform, {"os", "architecture", "variant"});
    const Platform said{platform->string_or("os", ""), platform->string_or("architecture", ""),
                        platform->string_or("variant", "")};
    entry.platform = said.normalized();
  }
  return entry;
}

Descriptor parse_descriptor(const JsonObject& object, std::uint64_t max_size) {
  expect_exact_descriptor(object);
  Descriptor descriptor{object.string("mediaType"), Digest::parse(object.string("digest"), object.path() + ".digest"),
                        object.unsigned_integer("size")};
  if (descriptor.size > max_size) {
    throw InvalidInput(object.path() + ".size", "more than the " + std::to_string(max_size) + " bytes accepted");
  }
  return descriptor;
}

/// What an index and a manifest have in common. A document that could be read as either is refused, because two readers
/// might then see different images under one digest.
void check_frame(const JsonObject& object, std::string_view media_type, std::initializer_list<const char*> foreign) {
  expect_exact_names(object, {"schemaVersion", "mediaType", "manifests", "config", "layers", "fsLayers"});
  if (object.unsigned_integer("schemaVersion") != kSchemaVersion) {
    throw InvalidInput(object.path() + ".schemaVersion", "only version 2 is supported");
  }
  // OCI's and Docker's name for the same kind of document are as good as each other.
  const std::string inner = object.string_or("mediaType", "");
  const bool same_kind = is_index(media_type) ? is_index(inner) : is_manifest(inner);
  if (!inner.empty() && !same_kind) {
    throw InvalidInput(object.path() + ".mediaType", "is not of the kind as which it was served");
  }
  for (const char* key : foreign) {
    if (object.has(key)) throw InvalidInput(object.path() + "." + key, "does not belong here");
  }
}

/// A digest stands for the same bytes wherever it occurs.
void expect_same_sizes(const std::vector<Descriptor>& layers) {
  std::map<Digest, std::uint64_t> sizes;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto [known, is_new] = sizes.emplace(layers[i].digest, layers[i].size);
    if (!is_new && known->second != layers[i].size) {
      throw InvalidInput("image manifest.layers[" + std::to_string(i) + "].size", "the same digest has another size");
    }
  }
}

}  // namespace

bool is_index(std::string_view media_type) { return media_type == kOciIndex || media_type == kDockerIndex; }
bool is_manifest(std::string_view media_type) { return media_type == kOciManifest || media_type == kDockerManifest; }
bool is_config(std::string_view media_type) { return media_type == kOciConfig || media_type == kDockerConfig; }
bool is_layer(std::string_view media_type) {
  return std::ranges::find(kLayerTypes, media_type) != kLayerTypes.end() || is_foreign_layer(media_type);
}
bool is_foreign_layer(std::string_view media_type) {
  return std::ranges::find(kForeignLayerTypes, media_type) != kForeignLayerTypes.end();
}
std::string unpackable_type(std::string_view media_type) {
  return std::string(media_type == kDockerZstdLayer ? kOciZstdLayer : media_type);
}

std::string inner_media_type(std::string_view bytes) {
  const base::Json document = base::parse_json(bytes, "image manifest", kManifestLimits);
  const JsonObject object(document, "image manifest");
  expect_exact_names(object, {"mediaType"});
  return object.string_or("mediaType", "");
}

ImageIndex parse_index(std::string_view bytes, std::string_view media_type) {
  if (!is_index(media_type)) throw InvalidInput("image index", "unsupported media type");
  const base::Json document = base::parse_json(bytes, "image index", kManifestLimits);
  const JsonObject object(document, "image index");
  check_frame(object, media_type, {"config", "layers", "fsLayers"});
  ImageIndex index{std::string(media_type), {}};
  const auto entries = object.objects_or_empty("manifests");
  if (entries.size() > kMaxIndexEntries) throw InvalidInput("image index.manifests", "too many entries");
  for (const JsonObject& entry : entries) index.manifests.push_back(parse_entry(entry));
  return index;
}

ImageManifest parse_manifest(std::string_view bytes, std::string_view media_type) {
  if (is_index(media_type)) throw InvalidInput("image manifest", "an index stands where a manifest belongs");
  if (!is_manifest(media_type)) throw InvalidInput("image manifest", "unsupported media type");
  const base::Json document = base::parse_json(bytes, "image manifest", kManifestLimits);
  const JsonObject object(document, "image manifest");
  check_frame(object, media_type, {"manifests", "fsLayers"});
  ImageManifest manifest{std::string(media_type), parse_descriptor(object.object("config"), kMaxConfigBytes), {}};
  // As old versions of Docker pushed it.
  if (media_type == kDockerManifest && manifest.config.media_type == kUntyped) {
    manifest.config.media_type = kDockerConfig;
  }
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
  expect_same_sizes(manifest.layers);
  return manifest;
}

Descriptor IndexEntry::descriptor() const { return parse_descriptor(JsonObject(json, path), kMaxManifestBytes); }

std::vector<const IndexEntry*> ImageIndex::candidates(const Platform& machine) const {
  std::vector<const IndexEntry*> fit;
  std::vector<const IndexEntry*> perhaps;
  for (const IndexEntry& entry : manifests) {
    if (!is_manifest(entry.media_type) && !is_index(entry.media_type)) continue;
    if (!entry.platform) {
      perhaps.push_back(&entry);
    } else if (fitness(*entry.platform, machine) > 0) {
      fit.push_back(&entry);
    }
  }
  std::ranges::stable_sort(fit, std::greater(), [&](const IndexEntry* e) { return fitness(*e->platform, machine); });
  fit.insert(fit.end(), perhaps.begin(), perhaps.end());
  return fit;
}

std::string ImageIndex::why_none(const Platform& machine) const {
  std::set<std::string> variants;
  for (const IndexEntry& entry : manifests) {
    const bool names_variant = entry.platform && is_same_kind(*entry.platform, machine) && is_variant(*entry.platform);
    if (names_variant && fitness(*entry.platform, machine) == 0) variants.insert(entry.platform->variant);
  }
  std::string reason = "no manifest for " + machine.name();
  if (variants.empty()) return reason;
  reason += " " + machine.variant + ", only for";
  for (const std::string& variant : variants) reason += " " + variant;
  return reason;
}

}  // namespace oci
