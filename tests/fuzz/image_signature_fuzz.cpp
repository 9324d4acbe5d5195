#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "evidence/image_signature.h"

/// A payload with a signature behind the last NUL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t end = size;
  while (end > 0 && data[end - 1] != 0) --end;
  const std::size_t payload = end > 0 ? end - 1 : size;
  try {
    const auto verified =
        evidence::verify_image_signature({{data, data + payload}, {data + end, data + size}},
                                         "sha256:5555555555555555555555555555555555555555555555555555555555555555");
    if (verified.key_id.size() != 64) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
