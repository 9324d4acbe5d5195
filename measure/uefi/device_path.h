#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace measure {

/// Real paths have some ten.
inline constexpr std::size_t kMaxDevicePathNodes = 64;

/// A device path in the words of the UEFI specification (2.10, section 10.6):
/// "PciRoot(0x0)/Pci(0x1,0x0)/HD(1,GPT,...)/\EFI\BOOT\BOOTX64.EFI". Nodes of kinds that a boot does not use are
/// "Path(type,subtype,hexadecimal)". Throws InvalidInput for nodes that are cut off, a missing end, bytes behind it,
/// and more nodes than the limit.
std::string device_path_text(base::ByteView path);

/// The same of each path that `paths` holds, one behind the other, with ", " between them.
std::string device_paths_text(base::ByteView paths);

}  // namespace measure
