#include "measure/uefi/signature_database.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "measure/uefi/guid.h"

namespace measure {
namespace {

using base::ByteReader;
using base::ByteView;
using base::InvalidInput;

constexpr std::string_view kSignatureList = "EFI signature list";
constexpr std::size_t kListHeaderSize = kGuidSize + 3 * sizeof(std::uint32_t);
// EFI_CERT_X509_GUID a5c059a1-94e4-4aa7-87b5-ab155c2bf072.
constexpr std::array<std::uint8_t, kGuidSize> kX509 = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                                       0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};

/// EFI_SIGNATURE_LIST: a header, then EFI_SIGNATURE_DATA of one size. A list may be empty.
void parse_list(ByteReader& reader, SignatureDatabase& database) {
  const bool is_x509 = base::equal(reader.take(kGuidSize, "signature type"), kX509);
  const std::uint32_t list_size = reader.u32_le("list size");
  const std::uint32_t header_size = reader.u32_le("header size");
  const std::uint32_t signature_size = reader.u32_le("signature size");
  if (list_size < kListHeaderSize) throw InvalidInput(kSignatureList, "the list is smaller than its header");
  if (is_x509 && header_size != 0) throw InvalidInput(kSignatureList, "a list of certificates has a signature header");
  if (signature_size <= kGuidSize) throw InvalidInput(kSignatureList, "a signature is smaller than its owner's GUID");
  ByteReader list(reader.take(list_size - kListHeaderSize, "list"), kSignatureList);
  list.take(header_size, "signature header");
  if (list.left() % signature_size != 0) throw InvalidInput(kSignatureList, "the last signature is cut off");
  while (!list.empty()) {
    if (database.certificates.size() + database.others == kMaxSignatures) {
      throw InvalidInput(kSignatureList, "too many signatures");
    }
    list.take(kGuidSize, "owner");
    const ByteView data = list.take(signature_size - kGuidSize, "signature");
    if (is_x509) {
      database.certificates.emplace_back(data.begin(), data.end());
    } else {
      ++database.others;
    }
  }
}

}  // namespace

SignatureDatabase SignatureDatabase::parse(ByteView bytes) {
  SignatureDatabase database;
  ByteReader reader(bytes, kSignatureList);
  for (std::size_t lists = 0; !reader.empty(); ++lists) {
    if (lists == kMaxSignatureLists) throw InvalidInput(kSignatureList, "too many lists");
    parse_list(reader, database);
  }
  return database;
}

}  // namespace measure
