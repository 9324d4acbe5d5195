#include "measure/uefi/guid.h"

#include <algorithm>

#include "base/encoding.h"

namespace measure {

Guid Guid::read(base::ByteReader& reader, std::string_view field) {
  Guid guid;
  std::ranges::copy(reader.take(kGuidSize, field), guid.bytes.begin());
  return guid;
}

std::string Guid::string() const {
  constexpr std::array<std::size_t, kGuidSize> kOrder = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  base::Bytes ordered;
  for (const std::size_t place : kOrder) ordered.push_back(bytes.at(place));
  std::string text = base::hex_encode(ordered);
  for (const std::size_t place : {20U, 16U, 12U, 8U}) text.insert(place, 1, '-');
  return text;
}

}  // namespace measure
