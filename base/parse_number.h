#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace base {

/// A number of digits alone, without sign, prefix or blanks, that fits into 64 bits. Nothing for any other text.
std::optional<std::uint64_t> parse_number(std::string_view digits, int base = 10);

}  // namespace base
