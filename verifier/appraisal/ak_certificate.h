#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/openssl.h"
#include "evidence/messages.h"

namespace verifier {

/// Of an attestation key's certificate and of each that comes with it; real ones have some 2 KiB.
inline constexpr std::size_t kMaxCertificateBytes = std::size_t{16} << 10U;
/// How many may come with it.
inline constexpr std::size_t kMaxIntermediates = evidence::kMaxCertChain;

/// Whose machines an authority vouches for.
struct Platform {
  /// The `hwmodel` claim of its machines. Nothing on Google Cloud (GCE), where the firmware's event decides: see
  /// extract_technology.
  std::optional<std::string> hwmodel;

  bool operator==(const Platform&) const = default;
};

struct TrustAnchor {
  base::X509Ptr certificate;
  Platform platform;
};

/// An attestation key's certificate, as it comes with evidence. Throws InvalidInput("AK certificate").
base::X509Ptr parse_ak_certificate(base::ByteView der);

/// SHA-256 of a certificate's public key (SubjectPublicKeyInfo, DER), in hexadecimal. Certificates of one key are one
/// authority, however often it was renewed or cross-signed.
std::string public_key_sha256(const X509& certificate);

/// The authorities whose word on attestation keys counts. They come from the configuration only, never from evidence.
class TrustAnchors {
 public:
  /// Any certificate of `anchors` is one, whether it signed itself or not. Throws Error when there is none, and when
  /// one key stands for two platforms.
  explicit TrustAnchors(const std::vector<TrustAnchor>& anchors);

  /// Of the anchor at which the chain of an attestation key's certificate ends, if it holds at `now`. Any extended key
  /// usage will do; a critical extension that is not understood will not. Throws InvalidInput("AK certificate") with
  /// the reason.
  const Platform& verify(const X509& leaf, const std::vector<base::Bytes>& intermediates, base::WallTime now) const;

 private:
  /// Of the anchor at which the chain that OpenSSL built ends: its last certificate, but for a leaf that is an anchor.
  const Platform& platform_of(X509_STORE_CTX* verified) const;

  std::unique_ptr<X509_STORE, base::FreeWith<X509_STORE_free>> store_;
  std::map<std::string, Platform> platforms_;  // by the hexadecimal SHA-256 of the anchor's public key
};

}  // namespace verifier
