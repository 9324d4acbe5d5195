#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace measure {

/// Values are TPM_ALG_ID (TPM 2.0 library specification, part 2, section 6.3), in the order in which this project
/// writes digests.
enum class HashAlgorithm : std::uint16_t { kSha1 = 0x0004, kSha256 = 0x000b, kSha384 = 0x000c, kSha512 = 0x000d };

inline constexpr std::array kHashAlgorithms = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                                               HashAlgorithm::kSha512};

std::optional<HashAlgorithm> hash_algorithm_of(std::uint32_t tpm_alg_id);
std::size_t digest_size(HashAlgorithm algorithm);
inline constexpr std::size_t kMaxDigestSize = 64;
/// "sha1", "sha256", "sha384" or "sha512".
std::string_view name_of(HashAlgorithm algorithm);
std::optional<HashAlgorithm> hash_algorithm_named(std::string_view name);

base::Bytes hash(HashAlgorithm algorithm, base::ByteView bytes);
/// The hash of all parts one behind the other.
base::Bytes hash(HashAlgorithm algorithm, std::initializer_list<base::ByteView> parts);

inline constexpr std::uint32_t kMaxPcr = 23;

/// A PCR's index as a key of JSON objects: decimal, without leading zeros, up to kMaxPcr. Throws InvalidInput(`field`).
std::uint32_t parse_pcr_index(std::string_view text, std::string_view field);

/// PCR values of one bank by PCR index.
using PcrValues = std::map<std::uint32_t, base::Bytes>;

}  // namespace measure
