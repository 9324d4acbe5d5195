#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "measure/boot_meaning.h"
#include "measure/uefi/text.h"

// Four bytes of an event's type, little-endian, then its data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::ByteReader reader({data, size}, "input");
  try {
    measure::BootEvent event;
    event.type = reader.u32_le("type");
    const base::ByteView rest = reader.take(reader.left(), "data");
    event.data.assign(rest.begin(), rest.end());
    (void)measure::meaning_of(event);
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
