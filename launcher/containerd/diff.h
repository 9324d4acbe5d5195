#pragma once

#include <vector>

#include "launcher/containerd/client.h"
#include "launcher/containerd/mount.h"
#include "oci/descriptor.h"

namespace launcher {

/// Unpacks a layer of the content store into mounted snapshots; returns the descriptor of the uncompressed tar archive,
/// whose digest is the layer's DiffID. Cancelling stops containerd's work, too.
base::Awaitable<oci::Descriptor> apply_layer(ContainerdClient client, oci::Descriptor layer, std::vector<Mount> mounts);

}  // namespace launcher
