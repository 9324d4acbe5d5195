#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/distribution/www_authenticate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    oci::parse_www_authenticate(base::text_of({data, size}));
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
