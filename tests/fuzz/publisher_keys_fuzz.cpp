#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "verifier/reference/publisher.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const verifier::Publisher publisher("team", base::text_of({data, size}), "keys");
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
