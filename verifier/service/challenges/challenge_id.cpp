#include "verifier/service/challenges/challenge_id.h"

#include <algorithm>

namespace verifier {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kMaxKeyEpoch = 0xffffff;
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr unsigned kBitsPerCharacter = 5;
constexpr unsigned kBitsPerByte = 8;

/// Of a whole number of five bytes.
std::string base32_encode(ByteView bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << kBitsPerByte | byte;
    for (count += kBitsPerByte; count >= kBitsPerCharacter;) {
      count -= kBitsPerCharacter;
      text += kAlphabet[bits >> count & 0x1fU];
    }
  }
  return text;
}

/// Of a whole number of eight characters.
std::optional<Bytes> base32_decode(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << kBitsPerCharacter | static_cast<std::uint32_t>(value);
    count += kBitsPerCharacter;
    if (count < kBitsPerByte) continue;
    count -= kBitsPerByte;
    bytes.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  return bytes;
}

}  // namespace

std::optional<ChallengeId> ChallengeId::parse(std::string_view text) {
  if (text.size() != kTextBytes) return std::nullopt;
  const auto bytes = base32_decode(text);
  if (!bytes) return std::nullopt;
  base::ByteReader reader(*bytes, "challenge");
  const std::uint32_t head = reader.u32_be("version and key epoch");
  if (head >> 24U != kVersion) return std::nullopt;
  ChallengeId id;
  id.key_epoch = head & kMaxKeyEpoch;
  id.expires = reader.u32_be("expiry");
  std::ranges::copy(reader.take(kRandomBytes, "random"), id.random.begin());
  std::ranges::copy(reader.take(kTagBytes, "tag"), id.tag.begin());
  return id;
}

Bytes ChallengeId::tagged() const {
  Bytes bytes;
  base::append_u32_be(bytes, std::uint32_t{kVersion} << 24U | (key_epoch & kMaxKeyEpoch));
  base::append_u32_be(bytes, expires);
  base::append(bytes, random);
  return bytes;
}

std::string ChallengeId::text() const {
  Bytes bytes = tagged();
  base::append(bytes, tag);
  return base32_encode(bytes);
}

}  // namespace verifier
