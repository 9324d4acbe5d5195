#include "base/bytes.h"

#include <algorithm>

#include <openssl/crypto.h>

#include "base/error.h"

namespace base {

ByteView view_of(std::string_view text) {
  // Reading any object's bytes through unsigned char is what [basic.lval] allows.
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes to_bytes(std::string_view text) {
  const ByteView bytes = view_of(text);
  return {bytes.begin(), bytes.end()};
}

bool equal(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

ByteView ByteReader::take(std::size_t count, std::string_view field) {
  if (count > left()) {
    throw InvalidInput(subject_, std::string(field) + " at offset " + std::to_string(offset_) + " needs " +
                                     std::to_string(count) + " bytes, " + std::to_string(left()) + " are left");
  }
  const ByteView taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

template <typename Integer>
Integer ByteReader::little_endian(std::string_view field) {
  Integer value = 0;
  const ByteView bytes = take(sizeof(Integer), field);
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = static_cast<Integer>((std::uint64_t{value} << 8U) | bytes[i - 1]);
  }
  return value;
}

template <typename Integer>
Integer ByteReader::big_endian(std::string_view field) {
  Integer value = 0;
  for (const std::uint8_t byte : take(sizeof(Integer), field)) {
    value = static_cast<Integer>((std::uint64_t{value} << 8U) | byte);
  }
  return value;
}

std::uint8_t ByteReader::u8(std::string_view field) { return take(1, field)[0]; }
std::uint16_t ByteReader::u16_le(std::string_view field) { return little_endian<std::uint16_t>(field); }
std::uint32_t ByteReader::u32_le(std::string_view field) { return little_endian<std::uint32_t>(field); }
std::uint64_t ByteReader::u64_le(std::string_view field) { return little_endian<std::uint64_t>(field); }
std::uint32_t ByteReader::u32_be(std::string_view field) { return big_endian<std::uint32_t>(field); }
std::uint64_t ByteReader::u64_be(std::string_view field) { return big_endian<std::uint64_t>(field); }

void ByteReader::expect_end() const {
  if (!empty()) {
    throw InvalidInput(subject_, std::to_string(left()) + " trailing bytes at offset " + std::to_string(offset_));
  }
}

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append_u8(Bytes& to, std::uint8_t value) { to.push_back(value); }

void append_u32_be(Bytes& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    to.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
  }
}

void append_u64_be(Bytes& to, std::uint64_t value) {
  append_u32_be(to, static_cast<std::uint32_t>(value >> 32U));
  append_u32_be(to, static_cast<std::uint32_t>(value));
}

}  // namespace base
