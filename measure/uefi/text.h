#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace measure {

/// UTF-16, little-endian, up to its first NUL or to the last whole unit, as UTF-8. What is no character becomes U+FFFD.
/// Nothing else is changed: who shows the text sees to control characters.
std::string text_of_utf16(base::ByteView bytes);

/// UTF-8 as UTF-16, little-endian, without a NUL at its end. Throws InvalidInput(`field`) for what is not UTF-8.
base::Bytes utf16_of(std::string_view text, std::string_view field);

}  // namespace measure
