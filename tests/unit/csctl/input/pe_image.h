#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace test {

/// A PE32+ image with these sections, written by hand after Microsoft's specification: headers of 1 KiB, then each
/// section, filled up to 512 bytes.
class PeImage {
 public:
  static constexpr std::size_t kPe = 0x40;
  static constexpr std::size_t kOptionalHeader = kPe + 24;
  static constexpr std::size_t kSectionTable = kOptionalHeader + 240;
  static constexpr std::size_t kCertificateDirectory = kOptionalHeader + 144;

  explicit PeImage(const std::vector<std::pair<std::string, std::string>>& sections) : bytes(0x400) {
    put(0, "MZ");
    put32(0x3c, kPe);
    put(kPe, std::string("PE\0\0", 4));
    put16(kPe + 6, static_cast<std::uint16_t>(sections.size()));
    put16(kPe + 20, 240);
    put16(kOptionalHeader, 0x20b);
    put32(kOptionalHeader + 108, 16);
    std::size_t place = kSectionTable;
    for (const auto& [name, content] : sections) {
      const auto begin = static_cast<std::uint32_t>(bytes.size());
      bytes.insert(bytes.end(), content.begin(), content.end());
      bytes.resize((bytes.size() + 511) / 512 * 512);
      put(place, name);
      put32(place + 8, static_cast<std::uint32_t>(content.size()));
      put32(place + 16, static_cast<std::uint32_t>(bytes.size()) - begin);
      put32(place + 20, begin);
      place += 40;
    }
  }

  void put(std::size_t place, const std::string& text) {
    for (const char c : text) bytes.at(place++) = static_cast<std::uint8_t>(c);
  }
  void put16(std::size_t place, std::uint16_t value) {
    for (int i = 0; i < 2; ++i) bytes.at(place++) = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void put32(std::size_t place, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes.at(place++) = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void sign(const std::string& signature) {
    put32(kCertificateDirectory, static_cast<std::uint32_t>(bytes.size()));
    put32(kCertificateDirectory + 4, static_cast<std::uint32_t>(signature.size()));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
  }

  base::Bytes bytes;
};

}  // namespace test
