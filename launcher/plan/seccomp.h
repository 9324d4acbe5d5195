#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace launcher {

/// The linux.seccomp section of a runtime spec: what a workload may not ask of the kernel, whatever it comes by (in a
/// user namespace, for instance), is answered EPERM. What the kernel grants to whoever has a capability is not refused
/// to a container that was given it, but for keyrings, kexec and bpf.
base::Json seccomp_filter(const std::vector<std::string>& added_capabilities);

}  // namespace launcher
