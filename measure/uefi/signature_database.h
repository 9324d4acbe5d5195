#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace measure {

// Real databases hold some ten lists; dbx holds hundreds of hashes, and may have a list for each.
inline constexpr std::size_t kMaxSignatureLists = 4096;
inline constexpr std::size_t kMaxSignatures = 16384;

/// A signature database of UEFI Secure Boot, such as the variable db: EFI_SIGNATURE_LISTs, one behind the other (UEFI
/// 2.10, section 32.4.1).
struct SignatureDatabase {
  std::vector<base::Bytes> certificates;  ///< X.509, the bytes as they stand there, which should be DER
  std::size_t others = 0;                 ///< hashes of images, and signatures of any other type

  bool empty() const noexcept { return certificates.empty() && others == 0; }

  /// Throws InvalidInput for lengths that contradict each other, trailing bytes, and more than the limits.
  static SignatureDatabase parse(base::ByteView bytes);
};

}  // namespace measure
