#include "base/parse_number.h"

#include <charconv>

namespace base {

std::optional<std::uint64_t> parse_number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [behind, code] = std::from_chars(digits.data(), end, value, base);
  if (code != std::errc() || behind != end) return std::nullopt;
  return value;
}

}  // namespace base
