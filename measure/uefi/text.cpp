#include "measure/uefi/text.h"

#include <cstdint>

#include "base/encoding.h"
#include "base/error.h"

namespace measure {
namespace {

// Surrogates (Unicode 15, section 3.8): two units that stand for one character beyond the first 65,536.
constexpr std::uint32_t kHighSurrogates = 0xd800;
constexpr std::uint32_t kLowSurrogates = 0xdc00;
constexpr std::uint32_t kSurrogatesEnd = 0xe000;
constexpr std::uint32_t kSurrogateBits = 10;
constexpr std::uint32_t kSurrogateMask = 0x3ff;
constexpr std::uint32_t kFirstOfTwo = 0x10000;
constexpr std::uint32_t kReplacement = 0xfffd;

bool is_high(std::uint32_t unit) { return unit >= kHighSurrogates && unit < kLowSurrogates; }
bool is_low(std::uint32_t unit) { return unit >= kLowSurrogates && unit < kSurrogatesEnd; }

std::uint32_t unit_at(base::ByteView bytes, std::size_t place) {
  return bytes[place] | static_cast<std::uint32_t>(bytes[place + 1]) << 8U;
}

void append_utf8(std::string& text, std::uint32_t point) {
  const auto append = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return append(point);
  if (point < 0x800) {
    append(0xc0 | point >> 6U);
  } else if (point < kFirstOfTwo) {
    append(0xe0 | point >> 12U);
    append(0x80 | (point >> 6U & 0x3fU));
  } else {
    append(0xf0 | point >> 18U);
    append(0x80 | (point >> 12U & 0x3fU));
    append(0x80 | (point >> 6U & 0x3fU));
  }
  append(0x80 | (point & 0x3fU));
}

void append_unit(base::Bytes& units, std::uint32_t unit) {
  base::append_u8(units, static_cast<std::uint8_t>(unit));
  base::append_u8(units, static_cast<std::uint8_t>(unit >> 8U));
}

}  // namespace

std::string text_of_utf16(base::ByteView bytes) {
  std::string text;
  for (std::size_t place = 0; place + 2 <= bytes.size(); place += 2) {
    std::uint32_t point = unit_at(bytes, place);
    if (point == 0) break;
    const bool is_pair = is_high(point) && place + 4 <= bytes.size() && is_low(unit_at(bytes, place + 2));
    if (is_pair) {
      place += 2;
      point = kFirstOfTwo + ((point & kSurrogateMask) << kSurrogateBits) + (unit_at(bytes, place) & kSurrogateMask);
    } else if (is_high(point) || is_low(point)) {
      point = kReplacement;
    }
    append_utf8(text, point);
  }
  return text;
}

base::Bytes utf16_of(std::string_view text, std::string_view field) {
  if (!base::is_utf8(text)) throw base::InvalidInput(field, "is not UTF-8");
  base::Bytes units;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (std::size_t j = 1; j < length; ++j) point = point << 6U | (static_cast<std::uint8_t>(text[i + j]) & 0x3fU);
    i += length;
    if (point < kFirstOfTwo) {
      append_unit(units, point);
      continue;
    }
    append_unit(units, kHighSurrogates + ((point - kFirstOfTwo) >> kSurrogateBits));
    append_unit(units, kLowSurrogates + ((point - kFirstOfTwo) & kSurrogateMask));
  }
  return units;
}

}  // namespace measure
