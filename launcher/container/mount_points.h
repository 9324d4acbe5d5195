#pragma once

#include <filesystem>

#include "base/json.h"

namespace launcher {

/// Throws InvalidInput when a mount point of `runtime_spec` lies behind a symbolic link of the image whose files are at
/// `root`: runtimes make device nodes and links below mount points such as /dev, and a link could lead them out to the
/// host. A file's own name (/etc/resolv.conf) may be a link; a mount point that is absent is fine, and so is
/// what the image has below an earlier mount, since that covers it.
void check_mount_points(const std::filesystem::path& root, const base::Json& runtime_spec);

}  // namespace launcher
