#include "oci/distribution/image_signatures.h"

#include <optional>
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

/// What has been found in a repository, within the limits of all of it.
class Found {
 public:
  bool is_full() const noexcept {
    return signatures_.size() >= kMaxSignaturesOfRepository || bytes_ >= kMaxSignatureBytesOfRepository;
  }

  void add(ImageSignature signature) {
    const std::size_t size = signature.payload.size() + signature.signature.size();
    if (signature.signature.empty() || signature.signature.size() > kMaxSignatureBytes || is_full()) return;
    bytes_ += size;
    if (bytes_ <= kMaxSignatureBytesOfRepository) signatures_.push_back(std::move(signature));
  }

  std::vector<ImageSignature> take() && { return std::move(signatures_); }

 private:
  std::vector<ImageSignature> signatures_;
  std::size_t bytes_ = 0;
};

base::Awaitable<void> find_simple_signatures(RegistryClient& registry, const ImageReference& repository,
                                             const Digest& image, Found& found) {
  const auto manifest = co_await manifest_if_any(registry, tagged(repository, image, ".sig"));
  if (!manifest) co_return;
  for (const SignatureLayer& layer : parse_signature_manifest(manifest->bytes)) {
    if (found.is_full()) co_return;
    const std::optional<std::string> payload = co_await document_of(registry, repository, layer.descriptor);
    if (!payload) continue;
    try {
      const base::ByteView bytes = base::view_of(*payload);
      found.add({{bytes.begin(), bytes.end()}, base::base64_decode(layer.signature, kSignatureAnnotation)});
    } catch (const InvalidInput& error) {
      pass_over(repository, layer.descriptor.digest.string(), error.what());
    }
  }
}

/// Of one manifest that refers to the image.
base::Awaitable<void> find_bundle_signatures(RegistryClient& registry, const ImageReference& repository,
                                             Descriptor referrer, Found& found) {
  const ManifestBytes manifest = co_await registry.manifest(repository, std::move(referrer));
  std::vector<SignatureLayer> layers = parse_signature_manifest(manifest.bytes);
  if (layers.size() > kMaxBundlesOfReferrer) layers.erase(layers.begin() + kMaxBundlesOfReferrer, layers.end());
  for (const SignatureLayer& layer : layers) {
    if (found.is_full() || !layer.descriptor.media_type.starts_with(kBundleType)) continue;
    const std::optional<std::string> bundle = co_await document_of(registry, repository, layer.descriptor);
    if (!bundle) continue;
    try {
      for (ImageSignature& signature : parse_signature_bundle(*bundle)) found.add(std::move(signature));
    } catch (const InvalidInput& error) {
      pass_over(repository, layer.descriptor.digest.string(), error.what());
    }
  }
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
    if (signatures.size() == kMaxSignaturesOfBundle) break;
    signatures.push_back({payload, signature.bytes("sig")});
  }
  return signatures;
}

base::Awaitable<std::vector<ImageSignature>> find_image_signatures(RegistryClient& registry, ImageReference repository,
                                                                   Digest image) {
  Found found;
  co_await find_simple_signatures(registry, repository, image, found);
  const std::vector<Descriptor> referrers = co_await registry.referrers(repository, image);
  for (const Descriptor& referrer : referrers) {
    if (found.is_full()) break;
    co_await find_bundle_signatures(registry, repository, referrer, found);
  }
  if (found.is_full()) pass_over(repository, image.string(), "there are more signatures than are taken");
  co_return std::move(found).take();
}

}  // namespace oci
