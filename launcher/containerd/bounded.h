#pragma once

#include <string>

#include "launcher/containerd/client.h"

namespace launcher {

/// Awaits `work`, which may make many calls to containerd, for at most `bound`; then it is cancelled, and once it has
/// ended a ContainerdError says that `what` took too long.
base::Awaitable<void> within(base::Milliseconds bound, std::string what, base::Awaitable<void> work);

}  // namespace launcher
