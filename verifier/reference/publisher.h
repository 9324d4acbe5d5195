#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/openssl.h"

namespace verifier {

/// What a signed document of reference values says of itself, beside its images:
/// {"publisher": "image-team", "version": 7, "expires": "2027-01-01T00:00:00Z", "images": [...]}.
struct Publication {
  std::string publisher;
  std::uint64_t version = 0;              ///< counts up from 1
  std::optional<base::WallTime> expires;  ///< from then on its images vouch for nothing
  base::Bytes sha256;                     ///< of the document as it was signed

  bool has_expired(base::WallTime now) const { return expires && *expires <= now; }

  /// Of a document whose bytes have this hash. Throws InvalidInput that names the field. Whether the publisher has
  /// signed it is not looked at.
  static Publication parse(const base::JsonObject& document, base::Bytes sha256);
};

/// What every reader of JSON has as a whole number (RFC 8259, section 6).
inline constexpr std::uint64_t kMaxPublicationVersion = (std::uint64_t{1} << 53U) - 1;

/// Somebody who publishes reference values, and the keys by which that is known.
class Publisher {
 public:
  static constexpr std::size_t kMaxKeys = 8;

  /// `keys_pem` has Ed25519 public keys (SubjectPublicKeyInfo, RFC 8410): the one in use, and others that follow it or
  /// went before. Throws InvalidInput(`subject`).
  Publisher(std::string name, std::string_view keys_pem, const std::string& subject);

  /// Throws InvalidInput(`subject`) unless one of the keys has signed exactly these bytes: `signature` is the 64 bytes
  /// of Ed25519 (RFC 8032).
  void expect_signature(std::string_view document, base::ByteView signature, const std::string& subject) const;

  /// What a document with such a signature, whose bytes have this hash, says of itself. Throws InvalidInput that names
  /// the field, also when it is another publisher's.
  Publication parse_publication(const base::JsonObject& document, base::Bytes sha256) const;

 private:
  std::string name_;
  std::vector<base::EvpPkeyPtr> keys_;
};

/// The signature of a document. `key` is the private one; throws InvalidInput(`subject`) when it is not Ed25519.
base::Bytes sign_document(std::string_view document, EVP_PKEY& key, const std::string& subject);

/// 1 to 64 letters, digits, '-', '_' and '.'.
bool is_publisher_name(std::string_view name);

}  // namespace verifier
