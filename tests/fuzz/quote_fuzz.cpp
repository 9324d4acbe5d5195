#include <cstddef>
#include <cstdint>

#include "attest/quote.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)attest::parse_quote_info({data, size});
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
