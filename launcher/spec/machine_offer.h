#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "launcher/spec/attestation_service.h"
#include "launcher/spec/capabilities.h"

namespace launcher {

/// What a machine has to give to a launch.
struct MachineOffer {
  std::uint64_t available_kb = std::numeric_limits<std::uint64_t>::max();  ///< of memory
  CapabilitySet capabilities = std::numeric_limits<CapabilitySet>::max();
  std::vector<AttestationService> services = {};  ///< the first is taken where the operator does not choose
};

}  // namespace launcher
