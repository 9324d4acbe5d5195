#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "measure/digest.h"
#include "measure/hash.h"

namespace measure {

// The firmware's event log (TCG PC Client Platform Firmware Profile, section 10), as the kernel shows it in
// binary_bios_measurements: SHA-1 only, or crypto agile behind a Spec ID event. Little-endian.

/// Logs of real machines are below 200 KiB, and have some hundred events.
inline constexpr std::size_t kMaxBootLogBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxBootEvents = 10240;

/// Event types of the profile, section 10.4.1. An event's type is not measured: only its digest is.
namespace boot_event {
inline constexpr std::uint32_t kNoAction = 0x3;
inline constexpr std::uint32_t kSeparator = 0x4;
inline constexpr std::uint32_t kEventTag = 0x6;
inline constexpr std::uint32_t kScrtmVersion = 0x8;
inline constexpr std::uint32_t kIpl = 0xd;
inline constexpr std::uint32_t kNonhostInfo = 0x11;
inline constexpr std::uint32_t kEfiVariableDriverConfig = 0x80000001;
inline constexpr std::uint32_t kEfiVariableBoot = 0x80000002;
inline constexpr std::uint32_t kEfiBootServicesApplication = 0x80000003;
inline constexpr std::uint32_t kEfiBootServicesDriver = 0x80000004;
inline constexpr std::uint32_t kEfiRuntimeServicesDriver = 0x80000005;
inline constexpr std::uint32_t kEfiGptEvent = 0x80000006;
inline constexpr std::uint32_t kEfiAction = 0x80000007;
inline constexpr std::uint32_t kEfiPlatformFirmwareBlob = 0x80000008;
inline constexpr std::uint32_t kEfiPlatformFirmwareBlob2 = 0x8000000a;
inline constexpr std::uint32_t kEfiHandoffTables2 = 0x8000000b;
inline constexpr std::uint32_t kEfiVariableBoot2 = 0x8000000c;
inline constexpr std::uint32_t kEfiHcrtmEvent = 0x80000010;
inline constexpr std::uint32_t kEfiVariableAuthority = 0x800000e0;
}  // namespace boot_event

struct BootEvent {
  std::uint32_t pcr = 0;  ///< of an event that was not measured any number
  std::uint32_t type = 0;
  DigestSet digests;  ///< of the algorithms that this project knows
  base::Bytes data;
  std::size_t number = 0;  ///< in its log, from 0
  std::size_t offset = 0;  ///< of its first byte in the log

  /// "boot event 12 at byte 3806", for errors.
  std::string name() const;
  /// Whether the digest of `bank` is that of `data`. A digest of another bank does not count: nobody may have quoted
  /// it.
  bool data_is_measured(HashAlgorithm bank) const;
};

struct BootLog {
  std::vector<BootEvent> events;
  /// PCR 0 starts with this as its last byte (profile, section 10.4.5.3): what a StartupLocality event says, and else 4
  /// where an H-CRTM event tells that something was measured before the TPM was started.
  std::uint8_t startup_locality = 0;

  /// The registers that have measured events, each as the log makes it. Throws InvalidInput when an event has no digest
  /// for `algorithm`.
  PcrValues replay(HashAlgorithm algorithm) const;
};

/// Throws InvalidInput on cut-off bytes, measured events of registers above 23, unknown digest sizes, repeated
/// algorithms, and beyond the limits above. Names the event by its number (from 0) and the byte at which it begins, and
/// says so when the bytes are no log at all. An event of type EV_NO_ACTION is never measured, so its register, which
/// may be none (0xffffffff), says nothing.
BootLog decode_boot_log(base::ByteView log);

}  // namespace measure
