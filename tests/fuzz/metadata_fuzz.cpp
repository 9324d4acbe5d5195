#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "launcher/spec/launch_spec.h"
#include "launcher/spec/unknown_attributes.h"
#include "measure/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const launcher::Attributes attributes = launcher::parse_attributes(base::text_of({data, size}));
    for (const launcher::UnknownAttribute& unknown : launcher::unknown_attributes(attributes)) {
      if (unknown.key.size() > launcher::kMaxKeyCompared) std::abort();
    }
    const launcher::LaunchSpec spec = launcher::LaunchSpec::parse(attributes, {});
    for (const auto& [name, value] : spec.env) {
      if (!measure::is_env_name(name)) std::abort();
    }
    for (const launcher::TmpfsMount& mount : spec.tmpfs_mounts) {
      if (mount.destination == "/" || launcher::clean_path(mount.destination) != mount.destination) std::abort();
      if (launcher::is_at_or_below(mount.destination, "/proc")) std::abort();
    }
    for (const std::string& name : spec.added_capabilities) {
      if (!launcher::capability_number(name)) std::abort();
    }
    (void)spec.loggable().dump();
  } catch (const base::Error&) {
  }
  return 0;
}
