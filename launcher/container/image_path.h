#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/file.h"

namespace launcher {

// What the links of an image may cost whoever follows them.

/// As many as the kernel follows (path_resolution(7)).
inline constexpr std::size_t kMaxImageLinks = 40;
/// Folders below each other.
inline constexpr std::size_t kMaxImageDepth = 64;
/// Parts of the path and of all links' targets together.
inline constexpr std::size_t kMaxImagePathParts = 1024;

/// Something in an image, seen from the image's root.
struct ImagePlace {
  std::filesystem::path path;  ///< absolute, without links and ".."
  base::FileDescriptor file;   ///< opened with O_PATH; invalid (-1) when there is nothing
};

struct ImagePathRules {
  std::string field;  ///< begins the text of errors
  /// Called for each link that is met. May throw; the link is followed otherwise.
  std::function<void(const std::filesystem::path& link)> on_link = {};
  /// Whether something else will be seen there than the image's own: nothing is looked up there then.
  std::function<bool(const std::filesystem::path& place)> is_covered = {};
};

/// Where `path` leads in the image whose files are at `root`: absolute links and ".." stay inside. Nobody else may
/// change the image meanwhile. Throws InvalidInput when it leads through more than the limits.
ImagePlace find_in_image(const std::filesystem::path& root, const std::filesystem::path& path,
                         const ImagePathRules& rules);

}  // namespace launcher
