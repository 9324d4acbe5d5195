#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace measure {

/// EFI_GUID as it stands in memory: its first three fields are little-endian (UEFI 2.10, appendix A).
struct Guid {
  std::array<std::uint8_t, 16> bytes{};

  static Guid read(base::ByteReader& reader, std::string_view field);
  /// "8be4df61-93ca-11d2-aa0d-00e098032b8c".
  std::string string() const;

  bool operator==(const Guid&) const = default;
};

inline constexpr std::size_t kGuidSize = 16;

/// EFI_GLOBAL_VARIABLE 8be4df61-93ca-11d2-aa0d-00e098032b8c (UEFI 2.10, section 3.3).
inline constexpr Guid kGlobalVariableGuid = {{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,  //
                                              0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
/// EFI_IMAGE_SECURITY_DATABASE_GUID d719b2cb-3d3a-4596-a3bc-dad00e67656f (section 32.6.1).
inline constexpr Guid kImageSecurityGuid = {{0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,  //
                                             0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}};
/// SHIM_LOCK_GUID 605dab50-e046-4300-abb6-3dd810dd8b23 (shim, lib/guid.c).
inline constexpr Guid kShimLockGuid = {{0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43,  //
                                        0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23}};

}  // namespace measure
