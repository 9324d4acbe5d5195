#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace base {

// Characters of ASCII, whatever the locale is.

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) { return is_lower(c) || is_upper(c); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
/// Of hexadecimal numbers as they are usually written.
constexpr bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_hex(char c) { return is_lower_hex(c) || (c >= 'A' && c <= 'F'); }
/// A letter, a digit, or one of `others`.
constexpr bool is_alphanumeric_or(char c, std::string_view others) {
  return is_alphanumeric(c) || (c != '\0' && others.find(c) != std::string_view::npos);
}

// The names of protocols differ in the case of ASCII's letters only.

constexpr char lower_case(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return lower_case(c); }, [](char c) { return lower_case(c); });
}

}  // namespace base
