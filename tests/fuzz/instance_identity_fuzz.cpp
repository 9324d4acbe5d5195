#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "evidence/instance_identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const evidence::InstanceIdentity identity = evidence::parse_instance_identity({data, size});
    // What was read can be said again without loss.
    if (evidence::parse_instance_identity(evidence::encode_instance_identity(identity)) != identity) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
