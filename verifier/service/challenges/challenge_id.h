#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace verifier {

/// The id of a challenge, with all that a verifier needs to know it again: 40 bytes, in base32 (RFC 4648, section 6) of
/// small letters. These are 64 characters with no bits to spare, so that an id has one spelling.
///
///   version     1   1
///   key epoch   3   which key of the verifier's made it
///   expiry      4   seconds since boot
///   random     16
///   tag        16   over the challenge's name up to the id, and all of the above
///
/// Numbers are big-endian.
struct ChallengeId {
  static constexpr std::size_t kTextBytes = 64;
  static constexpr std::size_t kRandomBytes = 16;
  static constexpr std::size_t kTagBytes = 16;
  using Random = std::array<std::uint8_t, kRandomBytes>;
  using Tag = std::array<std::uint8_t, kTagBytes>;

  std::uint32_t key_epoch = 0;  ///< below 2^24
  std::uint32_t expires = 0;
  Random random{};
  Tag tag{};

  /// Nothing for what is no such id. Says nothing of the tag.
  static std::optional<ChallengeId> parse(std::string_view text);
  std::string text() const;
  /// What the tag is over, but for the name.
  base::Bytes tagged() const;

  bool operator==(const ChallengeId&) const = default;
};

}  // namespace verifier
