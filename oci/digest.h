#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace oci {

/// A content digest of the only algorithm that is accepted: "sha256:" and 64 lower-case hexadecimal digits (OCI image
/// spec, descriptor.md, "Digests"). A value of this type is always well formed.
class Digest {
 public:
  /// Throws InvalidInput(`field`) for another algorithm, another length, or capitals.
  static Digest parse(std::string_view text, std::string_view field);
  /// The digest of `content`.
  static Digest of(base::ByteView content);
  /// Takes the 32 bytes that base::Sha256 gives.
  static Digest from_sha256(base::ByteView hash);

  /// "sha256:<hex>"
  const std::string& string() const noexcept { return text_; }

  friend bool operator==(const Digest&, const Digest&) = default;
  // The check takes the 0 with which a rewritten comparison compares for a pointer.
  friend auto operator<=>(const Digest&, const Digest&) = default;  // NOLINT(modernize-use-nullptr)

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace oci
