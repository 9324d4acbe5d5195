#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "measure/boot_log.h"
#include "verifier/appraisal/boot_state.h"
#include "verifier/appraisal/technology.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const measure::BootLog log = measure::decode_boot_log({data, size});
    for (const measure::HashAlgorithm bank : measure::kHashAlgorithms) {
      try {
        const verifier::BootState state = verifier::extract_boot_state(log, bank);
        // What is the case can't be ruled out.
        if (state.command_line_is("quiet") && !state.command_line_may_be("quiet")) std::abort();
        (void)verifier::extract_technology(log, bank);
      } catch (const base::InvalidInput&) {
      }
    }
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
