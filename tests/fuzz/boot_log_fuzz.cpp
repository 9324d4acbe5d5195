#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "measure/boot_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const measure::BootLog log = measure::decode_boot_log({data, size});
    for (const measure::BootEvent& event : log.events) {
      for (const auto bank : measure::kHashAlgorithms) (void)event.data_is_measured(bank);
    }
    for (const measure::HashAlgorithm bank : measure::kHashAlgorithms) {
      try {
        (void)log.replay(bank);
      } catch (const base::InvalidInput&) {
      }
    }
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
