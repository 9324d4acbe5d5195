#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/spec/launch_spec.h"

namespace launcher {

/// An attribute that looks like the launcher's, but is none.
struct UnknownAttribute {
  std::string key;      ///< at most kMaxKeyCompared bytes of it
  std::string nearest;  ///< the known one that it may be meant to be; empty when there is none so near
};

/// No key that is longer is compared, as it is near to none.
inline constexpr std::size_t kMaxKeyCompared = 64;
/// As many are listed.
inline constexpr std::size_t kMaxUnknownListed = 16;

/// The attributes that begin with "tee-" in any case of letters, or are a slip or two away from a known one, and are
/// not known. A cloud puts attributes of its own beside the launcher's; those are passed over. In the order of their
/// keys.
std::vector<UnknownAttribute> unknown_attributes(const Attributes& attributes);
/// A warning in the log for each.
void warn_of_unknown(const Attributes& attributes);

}  // namespace launcher
