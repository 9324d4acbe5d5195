#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "csctl/reference/image_facts.h"

namespace csctl {

/// Something that two VM images have not in common.
struct ImageDifference {
  std::string kind;  ///< "register", "package", "file", "option", "part", "key" or "statement"
  std::string name;
  std::string before;  ///< empty: not there
  std::string after;
  std::vector<std::uint32_t> moves;  ///< which registers hold something else because of it
};

/// Registers first; a register whose events both entries have is a difference for each event that is another.
/// Which registers move because of something follows from what firmware, systemd's stub and the kernel's stub measure
/// (docs/image.md, "Identity"); where both entries state a register, it is told only if it moves. Throws InvalidInput
/// when nothing is known of both.
std::vector<ImageDifference> differences_between(const ImageFacts& before, const ImageFacts& after);

}  // namespace csctl
