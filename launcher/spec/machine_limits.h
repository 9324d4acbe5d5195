#pragma once

#include <cstdint>
#include <limits>

#include "launcher/spec/capabilities.h"

namespace launcher {

/// What a machine can give a container at the most.
struct MachineLimits {
  std::uint64_t available_kb = std::numeric_limits<std::uint64_t>::max();  ///< of memory
  CapabilitySet capabilities = std::numeric_limits<CapabilitySet>::max();
};

}  // namespace launcher
