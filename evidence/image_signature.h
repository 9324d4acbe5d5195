#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace evidence {

/// A signature of an image by a key, as an attester sends it: what was signed, and the signature.
struct ImageSignature {
  base::Bytes payload;
  base::Bytes signature;

  bool operator==(const ImageSignature&) const = default;
};

/// As many as a verifier looks at; more are refused.
inline constexpr std::size_t kMaxImageSignatures = 300;
/// Of all that an attester sends together, payloads and signatures; it leaves out what goes beyond.
inline constexpr std::size_t kMaxSentSignatureBytes = std::size_t{256} << 10U;
/// Of one; real payloads have a KiB, and signatures of the longest key that is taken have 1024 bytes.
inline constexpr std::size_t kMaxSignaturePayloadBytes = std::size_t{64} << 10U;
inline constexpr std::size_t kMaxSignatureBytes = 1024;

/// What a verified signature says of itself, with no word on who its key belongs to: anybody can make one.
struct VerifiedImageSignature {
  std::string key_id;     ///< SHA-256 of the public key's DER, in hexadecimal
  std::string signature;  ///< in base64
  std::string algorithm;  ///< ECDSA_P256_SHA256, RSASSA_PKCS1V15_SHA256 or RSASSA_PSS_SHA256
};

/// Checks a signature of the image with this manifest digest (sha256:<hexadecimal>). The payload is one of
///
///   * cosign's simple signing: {"critical": {"type": "cosign container image signature",
///     "image": {"docker-manifest-digest": DIGEST}}, "optional": {...}}, signed as it is;
///   * an in-toto Statement, version 1, as cosign 3 makes: {"_type": ..., "predicateType":
///     "https://sigstore.dev/cosign/sign/v1", "subject": [{"digest": {"sha256": ...}, "annotations": {...}}]}, signed
///     in the form of DSSE (its pre-authentication encoding).
///
/// `optional` or the annotations hold the key that signed, `dev.cosignproject.cosign/pub`: PEM ("PUBLIC KEY" or "RSA
/// PUBLIC KEY") in base64 without padding; and `dev.cosignproject.cosign/sigalg`, the algorithm. Keys are P-256, or RSA
/// of 2048 to 8192 bits with exponent 65537.
///
/// Throws InvalidInput with the reason.
VerifiedImageSignature verify_image_signature(const ImageSignature& signature, std::string_view image_digest);

}  // namespace evidence
