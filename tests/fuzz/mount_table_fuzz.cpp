#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "launcher/host/mount_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const launcher::MountTable table = launcher::MountTable::parse(base::text_of({data, size}));
    for (const launcher::MountEntry& entry : table.entries()) {
      if (!entry.mount_point.starts_with('/')) std::abort();
      (void)table.mount_of(entry.mount_point);
    }
  } catch (const base::Error&) {
  }
  return 0;
}
