#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

ByteView view_of(std::string_view text);
std::string_view text_of(ByteView bytes);
Bytes to_bytes(std::string_view text);
bool equal(ByteView a, ByteView b);
/// Takes the same time wherever the first difference is.
bool equal_in_constant_time(ByteView a, ByteView b);

/// Reads a buffer of untrusted bytes from front to back. Every read is checked against what is left; running out throws
/// InvalidInput that names the field that did not fit.
class ByteReader {
 public:
  /// `subject` names the whole buffer in errors, such as "event log".
  ByteReader(ByteView bytes, std::string_view subject) : bytes_(bytes), subject_(subject) {}

  ByteView take(std::size_t count, std::string_view field);
  std::uint8_t u8(std::string_view field);
  std::uint16_t u16_le(std::string_view field);
  std::uint32_t u32_le(std::string_view field);
  std::uint64_t u64_le(std::string_view field);
  std::uint32_t u32_be(std::string_view field);
  std::uint64_t u64_be(std::string_view field);

  bool empty() const noexcept { return offset_ == bytes_.size(); }
  std::size_t left() const noexcept { return bytes_.size() - offset_; }
  std::size_t offset() const noexcept { return offset_; }
  /// Throws unless every byte has been read.
  void expect_end() const;

 private:
  template <typename Integer>
  Integer little_endian(std::string_view field);
  template <typename Integer>
  Integer big_endian(std::string_view field);

  ByteView bytes_;
  std::string_view subject_;
  std::size_t offset_ = 0;
};

void append(Bytes& to, ByteView bytes);
void append_u8(Bytes& to, std::uint8_t value);
void append_u32_be(Bytes& to, std::uint32_t value);
void append_u64_be(Bytes& to, std::uint64_t value);

}  // namespace base
