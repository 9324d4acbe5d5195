#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/distribution/image_signatures.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = base::text_of({data, size});
  try {
    if (oci::parse_signature_bundle(text).size() > oci::kMaxSignaturesOfRepository) std::abort();
  } catch (const base::InvalidInput&) {
  }
  try {
    if (oci::parse_signature_manifest(text).size() > oci::kMaxSignaturesOfRepository) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
