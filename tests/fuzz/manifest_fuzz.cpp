#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  for (const std::string_view type : {oci::kOciManifest, oci::kDockerManifest}) {
    try {
      oci::parse_manifest(text, type);
    } catch (const base::InvalidInput&) {
    }
  }
  try {
    oci::inner_media_type(text);
  } catch (const base::InvalidInput&) {
  }
  try {
    const oci::ImageIndex index = oci::parse_index(text, oci::kOciIndex);
    const oci::Platform machine{"linux", "amd64", "v2"};
    index.why_none(machine);
    for (const oci::IndexEntry* entry : index.candidates(machine)) entry->descriptor();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
