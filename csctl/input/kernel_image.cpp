#include "csctl/input/kernel_image.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/json.h"
#include "base/openssl.h"
#include "base/text.h"

namespace csctl {
namespace {

using base::ByteReader;
using base::ByteView;
using base::InvalidInput;

// Places in the optional header of PE32+.
constexpr std::size_t kChecksum = 64;
constexpr std::size_t kCountOfDirectories = 108;
constexpr std::size_t kCertificateDirectory = 144;
constexpr std::size_t kSizeOfChecksum = 4;
constexpr std::size_t kSizeOfDirectory = 8;
constexpr std::uint16_t kPe32Plus = 0x20b;
constexpr std::uint32_t kCertificateTable = 4;  // the fifth directory

constexpr std::size_t kPlaceOfPeHeader = 0x3c;
constexpr std::size_t kSizeOfSectionHeader = 40;
constexpr std::size_t kSizeOfSectionName = 8;

struct Headers {
  std::uint16_t sections = 0;
  std::size_t optional_header = 0;
  std::size_t section_table = 0;
  std::uint32_t certificates = 0;  ///< place in the file; 0: none
};

ByteReader reader_at(ByteView bytes, std::size_t place, const std::string& subject) {
  ByteReader reader(bytes, subject);
  reader.take(place, "headers");
  return reader;
}

Headers parse_headers(ByteView bytes, const std::string& subject) {
  if (!may_be_kernel_image(bytes)) throw InvalidInput(subject, "is no PE image");
  const std::uint32_t pe = reader_at(bytes, kPlaceOfPeHeader, subject).u32_le("place of the PE header");
  ByteReader reader = reader_at(bytes, pe, subject);
  if (base::text_of(reader.take(4, "PE signature")) != std::string_view("PE\0\0", 4)) {
    throw InvalidInput(subject, "is no PE image");
  }
  Headers headers;
  reader.u16_le("Machine");
  headers.sections = reader.u16_le("NumberOfSections");
  reader.take(12, "COFF header");
  const std::uint16_t size = reader.u16_le("SizeOfOptionalHeader");
  reader.u16_le("Characteristics");
  headers.optional_header = reader.offset();
  const ByteView optional_header = reader.take(size, "optional header");
  headers.section_table = reader.offset();
  if (headers.sections > kMaxSections) throw InvalidInput(subject, "has too many sections");

  ByteReader fields(optional_header, subject);
  if (fields.u16_le("Magic") != kPe32Plus) throw InvalidInput(subject, "is no PE32+ image");
  fields.take(kCountOfDirectories - 2, "header");
  if (fields.u32_le("NumberOfRvaAndSizes") <= kCertificateTable) {
    throw InvalidInput(subject, "has no place for signatures");
  }
  fields.take(kCertificateDirectory - kCountOfDirectories - 4, "directories");
  headers.certificates = fields.u32_le("place of the signatures");
  const std::uint32_t certificates_size = fields.u32_le("size of the signatures");
  const bool is_signed = certificates_size != 0;
  if (is_signed && std::uint64_t{headers.certificates} + certificates_size != bytes.size()) {
    throw InvalidInput(subject, "does not end with its signatures");
  }
  if (!is_signed) headers.certificates = 0;
  return headers;
}

base::Bytes authenticode_of(ByteView bytes, const Headers& headers, const std::string& subject) {
  const std::size_t checksum = headers.optional_header + kChecksum;
  const std::size_t directory = headers.optional_header + kCertificateDirectory;
  const std::size_t end = headers.certificates != 0 ? headers.certificates : bytes.size();
  if (end < directory + kSizeOfDirectory) throw InvalidInput(subject, "has signatures in its headers");
  base::Sha256 hash;
  hash.update(bytes.first(checksum));
  hash.update(bytes.subspan(checksum + kSizeOfChecksum, directory - checksum - kSizeOfChecksum));
  hash.update(bytes.subspan(directory + kSizeOfDirectory, end - directory - kSizeOfDirectory));
  return hash.finish();
}

std::string shown(const std::string& section) { return "section " + std::string(base::shown_key(section)); }

}  // namespace

bool may_be_kernel_image(ByteView bytes) { return base::text_of(bytes).starts_with("MZ"); }

KernelImage KernelImage::parse(ByteView bytes, const std::string& subject) {
  const Headers headers = parse_headers(bytes, subject);
  KernelImage image{.sections = {}, .authenticode_sha256 = authenticode_of(bytes, headers, subject)};
  ByteReader table = reader_at(bytes, headers.section_table, subject);
  std::uint64_t end = 0;  // of the section before
  for (std::uint16_t i = 0; i < headers.sections; ++i) {
    ByteReader header(table.take(kSizeOfSectionHeader, "section table"), subject);
    const std::string_view padded = base::text_of(header.take(kSizeOfSectionName, "name"));
    const std::string name(padded.substr(0, padded.find('\0')));
    const std::uint32_t virtual_size = header.u32_le("VirtualSize");
    header.u32_le("VirtualAddress");
    const std::uint32_t size = header.u32_le("SizeOfRawData");
    const std::uint32_t place = header.u32_le("PointerToRawData");
    if (size == 0) continue;
    if (end != 0 && place != end)
      throw InvalidInput(subject, shown(name) + " does not begin where the one before ends");
    end = std::uint64_t{place} + size;
    const ByteView loaded = reader_at(bytes, place, subject).take(size, "section").first(std::min(virtual_size, size));
    if (loaded.empty()) continue;
    const bool is_new = image.sections.emplace(name, loaded).second;
    if (!is_new) throw InvalidInput(subject, "has " + shown(name) + " twice");
  }
  return image;
}

}  // namespace csctl
