#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace base {

/// Lower-case hexadecimal.
std::string hex_encode(ByteView bytes);
/// Accepts either case; throws InvalidInput(`field`) on an odd length or another character.
Bytes hex_decode(std::string_view text, std::string_view field);

/// "0x1f".
std::string hex_number(std::uint64_t number);

/// RFC 4648 section 4, with padding.
std::string base64_encode(ByteView bytes);
/// Accepts what protobuf's JSON mapping accepts (standard or URL-safe alphabet, padded or not), but no white space, no
/// mix of alphabets and no non-zero bits after the last byte. Throws InvalidInput(`field`).
Bytes base64_decode(std::string_view text, std::string_view field);

/// RFC 4648 section 5, without padding, as JOSE uses it.
std::string base64url_encode(ByteView bytes);

/// Why `text` is no whole number, empty when it is one: digits without sign or leading zeros, up to 2^64 - 1. For
/// parsers of options, which take 010 for 8 and -1 for the largest.
std::string why_no_whole_number(const std::string& text);

/// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

}  // namespace base
