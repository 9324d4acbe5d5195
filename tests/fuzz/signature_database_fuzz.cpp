#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "measure/uefi/signature_database.h"

// In a boot log the database stands behind a digest that no mutation fits, so boot_state_fuzz does not get here.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)measure::SignatureDatabase::parse({data, size});
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
