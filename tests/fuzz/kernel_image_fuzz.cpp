#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "csctl/input/kernel_image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)csctl::KernelImage::parse({data, size}, "image");
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
