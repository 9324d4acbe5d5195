#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "base/bytes.h"
#include "oci/digest.h"
#include "oci/distribution/registry_client.h"
#include "oci/reference.h"

namespace oci {

/// What a key has signed of an image, and the signature. Nobody has verified it.
struct ImageSignature {
  base::Bytes payload;
  base::Bytes signature;

  bool operator==(const ImageSignature&) const = default;
};

/// Of one repository.
inline constexpr std::size_t kMaxSignaturesOfRepository = 300;
/// Of one manifest that refers to an image; cosign makes one.
inline constexpr std::size_t kMaxBundlesOfReferrer = 4;
/// Of one bundle; cosign's have one.
inline constexpr std::size_t kMaxSignaturesOfBundle = 4;
/// Of all payloads and signatures of one repository; what goes beyond is not fetched.
inline constexpr std::size_t kMaxSignatureBytesOfRepository = std::size_t{256} << 10U;
/// Of one payload, or of one bundle, which holds a payload in base64.
inline constexpr std::size_t kMaxSignatureDocumentBytes = std::size_t{64} << 10U;
/// Of one signature.
inline constexpr std::size_t kMaxSignatureBytes = 1024;

/// Signatures that cosign has put into a repository for the image with this digest:
///
///   * its simple signing, REPOSITORY:sha256-<hexadecimal>.sig: each layer of that manifest is a payload, and its
///     annotation dev.cosignproject.cosign/signature the signature in base64 (cosign, SIGNATURE_SPEC.md);
///   * bundles of version 3, which refer to the image (OCI distribution 1.1, or its tag schema): each layer is a
///     Sigstore bundle, and what counts of it is the payload of its DSSE envelope, an in-toto statement, and the
///     signatures of that (cosign, BUNDLE_SPEC.md). Those with a certificate are left out: they are keyless.
///
/// What is malformed, too large or for another purpose is passed over with a line in the log. Throws what
/// RegistryClient throws, but for what is not there.
base::Awaitable<std::vector<ImageSignature>> find_image_signatures(RegistryClient& registry, ImageReference repository,
                                                                   Digest image);

/// The signatures of a bundle; none for one of another purpose. Throws InvalidInput for a malformed one.
std::vector<ImageSignature> parse_signature_bundle(std::string_view json);

struct SignatureLayer {
  Descriptor descriptor;
  std::string signature;  ///< in base64; empty when it has none
};
/// The layers of a manifest of cosign's, which is no image's; kMaxSignaturesOfRepository at the most. Throws
/// InvalidInput.
std::vector<SignatureLayer> parse_signature_manifest(std::string_view json);

}  // namespace oci
