#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "measure/digest.h"
#include "measure/event.h"
#include "measure/hash.h"

namespace measure {

// The canonical event log (TCG "Canonical Event Log Format", 1.0, TLV encoding) with COS content. A log is a plain
// sequence of records; each record is four TLVs (type u8, length u32 big-endian, value): record number, register index,
// digests, content.

/// The PCR that the launcher measures into.
inline constexpr std::uint8_t kLaunchPcr = 13;
/// The CC measurement register (RTMR 3) that the launcher measures into on TDX.
inline constexpr std::uint32_t kLaunchCcmr = 4;

inline constexpr std::size_t kMaxCelBytes = std::size_t{8} << 20U;

/// Values are the TLV types of the register index.
enum class RegisterKind : std::uint8_t { kPcr = 1, kCcmr = 108 };

struct CelRecord {
  std::uint64_t number = 0;
  RegisterKind register_kind = RegisterKind::kPcr;
  std::uint8_t register_index = 0;
  DigestSet digests;
  base::Bytes content;  ///< the complete content TLV; what the digests are of

  bool operator==(const CelRecord&) const = default;
};

/// The complete content TLV of an event: 0x50, length, nested TLV.
base::Bytes encode_content(const Event& event);
base::Bytes encode_record(const CelRecord& record);

/// Strict: refuses cut-off and trailing bytes, record numbers other than 0, 1, 2, ..., a change of register, records
/// without digests, unknown or repeated digest algorithms, wrong digest sizes. Throws InvalidInput.
std::vector<CelRecord> decode_cel(base::ByteView log);

/// The one event in a record's content. Throws InvalidInput unless it is exactly one nested TLV of a known type.
Event event_of(const CelRecord& record);

/// The register's value after all records, from all zero. Throws InvalidInput when a record has no digest for
/// `algorithm`. Says nothing of whether digests match contents: see check_digests.
Digest replay_cel(std::span<const CelRecord> records, HashAlgorithm algorithm);

/// Throws InvalidInput unless every digest of the record is the hash of its content.
void check_digests(const CelRecord& record);

}  // namespace measure
