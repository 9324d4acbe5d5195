#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "measure/boot_log.h"
#include "verifier/boot_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const measure::BootLog log = measure::decode_boot_log({data, size});
    for (const measure::HashAlgorithm bank : measure::kHashAlgorithms) {
      try {
        verifier::extract_boot_state(log, bank).command_line_is("quiet");
      } catch (const base::InvalidInput&) {
      }
    }
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
