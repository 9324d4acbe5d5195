#include "measure/alignment.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace measure {
namespace {

/// What is left of a sequence when both ends that it has in common with another one are off.
struct Middle {
  std::size_t begin;
  std::size_t end;

  std::size_t size() const { return end - begin; }
};

std::pair<Middle, Middle> without_common_ends(const std::vector<Digest>& expected, const std::vector<Digest>& found) {
  std::size_t begin = 0;
  while (begin < expected.size() && begin < found.size() && expected[begin] == found[begin]) ++begin;
  std::size_t common_end = 0;
  while (common_end < expected.size() - begin && common_end < found.size() - begin &&
         expected[expected.size() - 1 - common_end] == found[found.size() - 1 - common_end]) {
    ++common_end;
  }
  return {{begin, expected.size() - common_end}, {begin, found.size() - common_end}};
}

/// E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): the furthest place in `expected` that can be
/// reached on each diagonal (place in `expected` less place in `found`) with 0, 1, 2, ... edits.
class ShortestEdit {
 public:
  ShortestEdit(const std::vector<Digest>& expected, const std::vector<Digest>& found, Middle left, Middle right)
      : expected_(expected), found_(found), left_(left), right_(right) {}

  /// Nothing when it takes more than kMaxEdits.
  std::optional<std::vector<Difference>> find() {
    const std::size_t most = std::min(left_.size() + right_.size(), kMaxEdits);
    for (std::size_t edits = 0; edits <= most; ++edits) {
      reached_.emplace_back(2 * edits + 1, 0);
      for (std::size_t i = 0; i <= 2 * edits; i += 2) {
        if (advance(edits, i)) return trace_back(edits, i);
      }
    }
    return std::nullopt;
  }

 private:
  using Places = std::vector<std::size_t>;  // of one number of edits, by diagonal + edits

  static std::int64_t diagonal(std::size_t edits, std::size_t i) {
    return static_cast<std::int64_t>(i) - static_cast<std::int64_t>(edits);
  }

  /// Whether the last edit on the way to a diagonal puts one of `found` in, rather than leaving one of `expected` out.
  bool is_insertion(std::size_t edits, std::size_t i) const {
    if (i == 0) return true;
    if (i == 2 * edits) return false;
    const Places& before = reached_[edits - 1];
    return before[i - 2] < before[i];
  }

  /// In `expected`, behind the last edit.
  std::size_t start(std::size_t edits, std::size_t i) const {
    if (edits == 0) return 0;
    const Places& before = reached_[edits - 1];
    return is_insertion(edits, i) ? before[i] : before[i - 2] + 1;
  }

  bool advance(std::size_t edits, std::size_t i) {
    const std::int64_t offset = diagonal(edits, i);
    auto x = static_cast<std::int64_t>(start(edits, i));
    const auto width = static_cast<std::int64_t>(left_.size());
    const auto height = static_cast<std::int64_t>(right_.size());
    while (x < width && x - offset < height && x - offset >= 0 && same(x, x - offset)) ++x;
    reached_[edits][i] = static_cast<std::size_t>(x);
    return x >= width && x - offset >= height;
  }

  bool same(std::int64_t x, std::int64_t y) const {
    return expected_[left_.begin + static_cast<std::size_t>(x)] == found_[right_.begin + static_cast<std::size_t>(y)];
  }

  std::vector<Difference> trace_back(std::size_t edits, std::size_t i) const {
    std::vector<Difference> differences;
    for (; edits > 0; --edits) {
      const std::size_t x = start(edits, i);
      const auto y = static_cast<std::size_t>(static_cast<std::int64_t>(x) - diagonal(edits, i));
      if (is_insertion(edits, i)) {
        differences.push_back({.expected = {}, .found = right_.begin + y - 1});
      } else {
        differences.push_back({.expected = left_.begin + x - 1, .found = {}});
        i -= 2;
      }
    }
    std::ranges::reverse(differences);
    return differences;
  }

  const std::vector<Digest>& expected_;
  const std::vector<Digest>& found_;
  Middle left_;
  Middle right_;
  std::vector<Places> reached_;
};

std::vector<Difference> all_of(Middle left, Middle right) {
  std::vector<Difference> differences;
  for (std::size_t i = left.begin; i < left.end; ++i) differences.push_back({.expected = i, .found = {}});
  for (std::size_t i = right.begin; i < right.end; ++i) differences.push_back({.expected = {}, .found = i});
  return differences;
}

/// Where some are left out and others put in at one place, they stand for each other in their order.
std::vector<Difference> paired(const std::vector<Difference>& edits, const Middle& left) {
  std::vector<Difference> differences;
  std::size_t i = 0;
  std::size_t next_expected = left.begin;  // the place in `expected` up to which everything is told
  std::size_t shift_found = left.begin;
  while (i < edits.size()) {
    std::vector<std::size_t> gone;
    std::vector<std::size_t> come;
    // A run of edits without anything in common between them.
    if (edits[i].expected) {
      shift_found += *edits[i].expected - next_expected;
      next_expected = *edits[i].expected;
    } else {
      next_expected += *edits[i].found - shift_found;
      shift_found = *edits[i].found;
    }
    for (; i < edits.size(); ++i) {
      if (edits[i].expected == next_expected) {
        gone.push_back(next_expected++);
      } else if (edits[i].found == shift_found) {
        come.push_back(shift_found++);
      } else {
        break;
      }
    }
    for (std::size_t j = 0; j < std::max(gone.size(), come.size()); ++j) {
      Difference difference;
      if (j < gone.size()) difference.expected = gone[j];
      if (j < come.size()) difference.found = come[j];
      differences.push_back(difference);
    }
  }
  return differences;
}

}  // namespace

std::vector<Difference> differences(const std::vector<Digest>& expected, const std::vector<Digest>& found) {
  const auto [left, right] = without_common_ends(expected, found);
  auto edits = ShortestEdit(expected, found, left, right).find();
  if (!edits) edits = all_of(left, right);
  return paired(*edits, left);
}

}  // namespace measure
