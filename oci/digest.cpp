#include "oci/digest.h"

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"

namespace oci {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexLength = 64;

}  // namespace

Digest Digest::parse(std::string_view text, std::string_view field) {
  if (!text.starts_with(kPrefix)) throw base::InvalidInput(field, "digest is not of the form sha256:<hex>");
  const std::string_view hex = text.substr(kPrefix.size());
  if (hex.size() != kHexLength || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    throw base::InvalidInput(field, "digest does not hold 64 lower-case hexadecimal digits");
  }
  return Digest(std::string(text));
}

Digest Digest::of(base::ByteView content) {
  base::Sha256 hash;
  hash.update(content);
  return from_sha256(hash.finish());
}

Digest Digest::from_sha256(base::ByteView hash) { return Digest(std::string(kPrefix) + base::hex_encode(hash)); }

}  // namespace oci
