#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "launcher/oci/descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  for (const std::string_view type : {launcher::kOciManifest, launcher::kDockerManifest}) {
    try {
      launcher::parse_manifest(text, type);
    } catch (const base::InvalidInput&) {
    }
  }
  try {
    launcher::inner_media_type(text);
  } catch (const base::InvalidInput&) {
  }
  try {
    const launcher::ImageIndex index = launcher::parse_index(text, launcher::kOciIndex);
    const launcher::Platform machine{"linux", "amd64", "v2"};
    index.why_none(machine);
    for (const launcher::IndexEntry* entry : index.candidates(machine)) entry->descriptor();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
