#pragma once

#include <string>
#include <vector>

#include "verifier/reference/reference_value.h"

namespace verifier {

struct UnreachableImage {
  std::string name;
  std::string why;
};

/// The entries, but for deprecated ones, that no machine will ever be said to run: what they state can't be, or an
/// entry that asks for nothing more stands before them, or is deprecated. Not found is what is left to a rule for what
/// nobody stated (ReferenceValue::matches), and which of more than kMaxShapes ways to state something comes first.
std::vector<UnreachableImage> unreachable_images(const std::vector<ReferenceValue>& images, bool require_secure_boot);

/// Each is compared once for each set of fields that entries state, of which there are a handful.
inline constexpr std::size_t kMaxShapes = 16;

}  // namespace verifier
