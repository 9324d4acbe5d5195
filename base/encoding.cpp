#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <openssl/evp.h>

#include "base/ascii.h"
#include "base/error.h"

namespace base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::uint8_t kNotADigit = 0xff;
constexpr std::size_t kMaxBase64Text = std::size_t{1} << 30U;  // OpenSSL counts with int

std::uint8_t hex_digit(char c) {
  if (is_digit(c)) return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return kNotADigit;
}

/// The digit of the standard alphabet for a digit of either one, and 0 for what is none.
constexpr std::array<char, 256> kStandardDigits = [] {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<char, 256> digits{};
  for (const char digit : kAlphabet) digits[static_cast<std::uint8_t>(digit)] = digit;
  digits['-'] = '+';
  digits['_'] = '/';
  return digits;
}();

}  // namespace

std::string hex_encode(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kHexDigits[byte >> 4U]);
    text.push_back(kHexDigits[byte & 0x0fU]);
  }
  return text;
}

Bytes hex_decode(std::string_view text, std::string_view field) {
  if (text.size() % 2 != 0) throw InvalidInput(field, "odd number of hexadecimal digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = hex_digit(text[i]);
    const std::uint8_t low = hex_digit(text[i + 1]);
    if (high == kNotADigit || low == kNotADigit) throw InvalidInput(field, "not hexadecimal");
    bytes.push_back(static_cast<std::uint8_t>((high << 4U) | low));
  }
  return bytes;
}

std::string hex_number(std::uint64_t number) {
  std::array<char, 2 * sizeof(number)> digits{};
  const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return "0x" + std::string(digits.data(), end);
}

std::string base64_encode(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock also writes a final NUL
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Bytes base64_decode(std::string_view text, std::string_view field) {
  const bool url_safe = text.find_first_of("-_") != std::string_view::npos;
  if (url_safe && text.find_first_of("+/") != std::string_view::npos) {
    throw InvalidInput(field, "mixes the two base64 alphabets");
  }
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) throw InvalidInput(field, "wrong base64 padding");
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  if (text.size() % 4 == 1) throw InvalidInput(field, "wrong base64 length");
  if (text.size() > kMaxBase64Text) throw InvalidInput(field, "too long");
  const std::size_t padding = (4 - text.size() % 4) % 4;
  std::string standard;
  standard.reserve(text.size() + padding);
  for (const char c : text) {
    const char digit = kStandardDigits[static_cast<std::uint8_t>(c)];
    if (digit == 0) throw InvalidInput(field, "not base64");
    standard.push_back(digit);
  }
  standard.append(padding, '=');
  Bytes bytes(standard.size() / 4 * 3);
  EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(standard.data()),
                  static_cast<int>(standard.size()));
  bytes.erase(bytes.end() - static_cast<std::ptrdiff_t>(padding), bytes.end());
  // What a last byte leaves over of its digits must be zero, or one value would have several texts.
  const std::string last = base64_encode(ByteView(bytes).last(bytes.size() % 3));
  if (!standard.ends_with(last)) {
    throw InvalidInput(field, "base64 has bits after its last byte");
  }
  return bytes;
}

std::string base64url_encode(ByteView bytes) {
  std::string text = base64_encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string why_no_whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool has_leading_zero = text.size() > 1 && text.front() == '0';
  const bool is_whole = error == std::errc() && end == text.data() + text.size() && !has_leading_zero;
  return is_whole ? std::string() : "is not a whole number";
}

bool is_utf8(std::string_view text) {
  const ByteView bytes = view_of(text);
  std::size_t i = 0;
  while (i < bytes.size()) {
    const std::uint8_t lead = bytes[i];
    std::size_t length = 0;
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xbf;
    if (lead <= 0x7f) {
      ++i;
      continue;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) second_min = 0xa0;
      if (lead == 0xed) second_max = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) second_min = 0x90;
      if (lead == 0xf4) second_max = 0x8f;
    } else {
      return false;
    }
    if (bytes.size() - i < length) return false;
    if (bytes[i + 1] < second_min || bytes[i + 1] > second_max) return false;
    for (std::size_t k = 2; k < length; ++k) {
      if ((bytes[i + k] & 0xc0U) != 0x80U) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace base
