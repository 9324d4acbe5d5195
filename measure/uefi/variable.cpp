#include "measure/uefi/variable.h"

#include <string_view>

#include "base/error.h"

namespace measure {
namespace {

using base::ByteReader;
using base::ByteView;
using base::InvalidInput;

constexpr std::string_view kVariableEvent = "UEFI variable event";

}  // namespace

UefiVariable UefiVariable::read(ByteReader& reader) {
  UefiVariable variable;
  variable.vendor = Guid::read(reader, "GUID");
  const std::uint64_t name_units = reader.u64_le("length of the name");
  const std::uint64_t data_size = reader.u64_le("length of the data");
  if (name_units > kMaxVariableNameUnits) throw InvalidInput(kVariableEvent, "the name is too long");
  for (std::uint64_t i = 0; i < name_units; ++i) {
    const std::uint16_t unit = reader.u16_le("name");
    variable.name += unit < 0x80 ? static_cast<char>(unit) : '?';
  }
  if (data_size > reader.left()) throw InvalidInput(kVariableEvent, "the data is cut off");
  const ByteView data = reader.take(static_cast<std::size_t>(data_size), "data");
  variable.data.assign(data.begin(), data.end());
  return variable;
}

UefiVariable UefiVariable::parse(ByteView bytes) {
  ByteReader reader(bytes, kVariableEvent);
  UefiVariable variable = read(reader);
  reader.expect_end();
  return variable;
}

}  // namespace measure
