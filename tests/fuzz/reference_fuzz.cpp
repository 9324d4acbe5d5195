#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto reference = oci::ImageReference::parse(base::text_of({data, size}), "reference");
    // The full name of what was accepted names the same image.
    if (oci::ImageReference::parse(reference.name(), "reference").name() != reference.name()) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
