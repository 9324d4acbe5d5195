#pragma once

#include "launcher/containerd/client.h"

namespace launcher {

/// Removes the leases and ingests that a launch left which was killed (kOwnNames), and waits until what only they had
/// kept is collected: nothing may vanish behind the back of the launch that comes. Call it while nothing of this
/// launcher is at work in the namespace.
base::Awaitable<void> remove_leftovers(ContainerdClient client);

}  // namespace launcher
