#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "measure/uefi/guid.h"

namespace measure {

/// In 16-bit units.
inline constexpr std::uint64_t kMaxVariableNameUnits = 256;

/// A UEFI variable as it is measured: UEFI_VARIABLE_DATA (TCG PC Client Platform Firmware Profile, section 10.2.6).
struct UefiVariable {
  Guid vendor;
  std::string name;  ///< a '?' for each character that is not ASCII: the names that count are
  base::Bytes data;

  /// Both throw InvalidInput; the second also for bytes behind it.
  static UefiVariable read(base::ByteReader& reader);
  static UefiVariable parse(base::ByteView bytes);
};

}  // namespace measure
