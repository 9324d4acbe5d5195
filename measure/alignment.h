#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "measure/digest.h"

namespace measure {

/// How many digests may be left out and put in before the rest is no longer compared. The work is that many times the
/// lengths.
inline constexpr std::size_t kMaxEdits = 256;

/// A place at which two sequences are different: one of `expected` that is not found there, one of `found` that is not
/// expected, or one in the place of the other.
struct Difference {
  std::optional<std::size_t> expected;
  std::optional<std::size_t> found;

  bool operator==(const Difference&) const = default;
};

/// The fewest differences, in their order. Where there are more than kMaxEdits, all between the common beginning and
/// the common end is different.
std::vector<Difference> differences(const std::vector<Digest>& expected, const std::vector<Digest>& found);

}  // namespace measure
