#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attest/instance_identity.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const attest::InstanceIdentity identity = attest::parse_instance_identity({data, size});
    // What was read can be said again without loss.
    if (attest::parse_instance_identity(attest::encode_instance_identity(identity)) != identity) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
