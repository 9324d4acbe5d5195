#include "oci/distribution/image_signatures.h"

#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

namespace oci {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr const char* kSignatureAnnotation = "dev.cosignproject.cosign/signature";
constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle";
constexpr std::string_view kInTotoType = "application/vnd.in-toto+json";
constexpr std::string_view kCosignPredicateType = "https://sigstore.dev/cosign/sign/v1";
constexpr base::JsonLimits kDocumentLimits{
    .max_bytes = kMaxManifestBytes, .max_depth = 16, .max_values = kMaxDocumentValues};

/// The tag of what belongs to an image: sha256-<hexadecimal>, and what comes behind.
ImageReference tagged(const ImageReference& repository, const Digest& image, std::string_view suffix) {
  std::string tag = image.string();
  tag.replace(tag.find(':'), 1, "-");
  return ImageReference::parse(repository.domain() + "/" + repository.repository() + ":" + tag + std::string(suffix),
                               "signature");
}

void pass_over(const ImageReference& repository, std::string_view what, std::string_view reason) {
  base::log::warning("a signature was passed over",
                     {{"repo", repository.repository()}, {"what", what}, {"reason", reason}});
}

bool is_absent(const RegistryError& error) { return error.status() == net::status::kNotFound; }

/// Nothing when there is no such tag.
base::Awaitable<std::optional<ManifestBytes>> manifest_if_any(RegistryClient& registry, ImageReference reference) {
  try {
    co_return co_await registry.resolve(std::move(reference));
  } catch (const RegistryError& error) {
    if (!is_absent(error)) throw;
  }
  co_return std::nullopt;
}

/// The layer's content, or nothing when it is too large to be meant.
base::Awaitable<std::optional<std::string>> document_of(RegistryClient& registry, const ImageReference& repository,
                                                        Descriptor layer) {
  if (layer.size > kMaxSignatureDocumentBytes) {
    pass_over(repository, layer.digest.string(), "is too large");
    co_return std::nullopt;
  }
  co_return co_await registry.small_blob(repository, std::move(layer));
}

base::Awaitable<std::vector<ImageSignature>> simple_signatures(RegistryClient& registry, ImageReference repository,
                                                               Digest image) {
  std::vector<ImageSignature> signatures;
  const auto manifest = co_await manifest_if_any(registry, tagged(repository, image, ".sig"));
  if (!manifest) co_return signatures;
  for (const SignatureLayer& layer : parse_signature_manifest(manifest->bytes)) {
    const std::optional<std::string> payload = co_await document_of(registry, repository, layer.descriptor);
    if (!payload) continue;
    try {
      const base::ByteView bytes = base::view_of(*payload);
      signatures.push_back({{bytes.begin(), bytes.end()}, base::base64_decode(layer.signature, kSignatureAnnotation)});
    } catch (const InvalidInput& error) {
      pass_over(repository, layer.descriptor.digest.string(), error.what());
    }
  }
  co_return signatures;
}

/// Of one manifest that refers to the image.
base::Awaitable<std::vector<ImageSignature>> bundle_signatures(RegistryClient& registry, ImageReference repository,
                                                               Descriptor referrer) {
  std::vector<ImageSignature> signatures;
  const ManifestBytes manifest = co_await registry.manifest(repository, std::move(referrer));
  std::vector<SignatureLayer> layers = parse_signature_manifest(manifest.bytes);
  if (layers.size() > kMaxBundlesOfReferrer) layers.erase(layers.begin() + kMaxBundlesOfReferrer, layers.end());
  for (const SignatureLayer& layer : layers) {
    if (!layer.descriptor.media_type.starts_with(kBundleType)) continue;
    const std::optional<std::string> bundle = co_await document_of(registry, repository, layer.descriptor);
    if (!bundle) continue;
    try {
      std::ranges::move(parse_signature_bundle(*bundle), std::back_inserter(signatures));
    } catch (const InvalidInput& error) {
      pass_over(repository, layer.descriptor.digest.string(), error.what());
    }
  }
  co_return signatures;
}

}  // namespace

std::vector<SignatureLayer> parse_signature_manifest(std::string_view json) {
  const Json parsed = base::parse_json(json, "manifest", kDocumentLimits);
  std::vector<SignatureLayer> layers;
  for (const JsonObject& layer : JsonObject(parsed, "manifest").objects_or_empty("layers")) {
    SignatureLayer found{
        .descriptor = {layer.string("mediaType"), Digest::parse(layer.string("digest"), layer.path() + ".digest"),
                       layer.unsigned_integer("size")},
        .signature = {}};
    if (const auto annotations = layer.optional_object("annotations")) {
      found.signature = annotations->string_or(kSignatureAnnotation, "");
    }
    layers.push_back(std::move(found));
    if (layers.size() == kMaxSignaturesOfRepository) break;
  }
  return layers;
}

std::vector<ImageSignature> parse_signature_bundle(std::string_view json) {
  const Json parsed = base::parse_json(json, "bundle", {.max_bytes = kMaxSignatureDocumentBytes});
  const JsonObject bundle(parsed, "bundle");
  const auto envelope = bundle.optional_object("dsseEnvelope");
  if (!envelope) return {};
  if (const auto material = bundle.optional_object("verificationMaterial")) {
    if (material->has("certificate") || material->has("x509CertificateChain")) return {};
  }
  if (envelope->string("payloadType") != kInTotoType) return {};
  const base::Bytes payload = envelope->bytes("payload");
  const Json statement = base::parse_json(base::text_of(payload), "bundle.dsseEnvelope.payload",
                                          {.max_bytes = kMaxSignatureDocumentBytes});
  if (JsonObject(statement, "statement").string_or("predicateType", "") != kCosignPredicateType) return {};
  std::vector<ImageSignature> signatures;
  for (const JsonObject& signature : envelope->objects_or_empty("signatures")) {
    if (signatures.size() == kMaxSignaturesOfRepository) break;
    signatures.push_back({payload, signature.bytes("sig")});
  }
  return signatures;
}

base::Awaitable<std::vector<ImageSignature>> find_image_signatures(RegistryClient& registry, ImageReference repository,
                                                                   Digest image) {
  std::vector<ImageSignature> found = co_await simple_signatures(registry, repository, image);
  const std::vector<Descriptor> referrers = co_await registry.referrers(repository, image);
  for (const Descriptor& referrer : referrers) {
    std::vector<ImageSignature> more = co_await bundle_signatures(registry, repository, referrer);
    std::ranges::move(more, std::back_inserter(found));
  }
  std::erase_if(found, [](const ImageSignature& signature) {
    return signature.signature.empty() || signature.signature.size() > kMaxSignatureBytes;
  });
  if (found.size() > kMaxSignaturesOfRepository) found.resize(kMaxSignaturesOfRepository);
  co_return found;
}

}  // namespace oci
