#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "launcher/spec/machine_offer.h"

namespace launcher {

/// MemAvailable of /proc/meminfo (proc_meminfo(5)): what can be used without swapping, in kB. Throws InvalidInput.
std::uint64_t available_memory_kb(std::string_view meminfo);

/// CapBnd of /proc/PID/status (proc_pid_status(5)). Throws InvalidInput.
CapabilitySet bounding_set(std::string_view status);

/// Of this machine. `capabilities` are those that containerd has to give; without it, those that the launcher has.
MachineOffer read_machine_offer(std::optional<CapabilitySet> capabilities, std::vector<AttestationService> services);

}  // namespace launcher
