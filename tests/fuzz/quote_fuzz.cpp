#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "evidence/quote.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)evidence::parse_quote_info({data, size});
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
