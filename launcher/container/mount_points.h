#pragma once

#include <filesystem>

#include "base/json.h"

namespace launcher {

/// Makes every mount point of `runtime_spec` one without a symbolic link of the image whose files are at `root`:
/// runtimes make device nodes and links below mount points such as /dev, and a link could lead them out to the host.
///
/// /run, the folder of the launcher in it, and the folder of /etc/hosts and /etc/resolv.conf may be links: images of
/// some tools have them so. The mount goes to where they lead inside the image, and the workload finds it where it
/// looks. A link on the way to another mount point is refused: what the image's author allowed is what is mounted.
///
/// A file's own name (/etc/resolv.conf) may be a link; a mount point that is absent is fine, and so is what the image
/// has below an earlier mount, since that covers it. Throws InvalidInput.
void settle_mount_points(const std::filesystem::path& root, base::Json& runtime_spec);

}  // namespace launcher
