#pragma once

#include <cstddef>

namespace test {

/// What a program has taken with `new` since its start. A program that links this counts, in all its threads.
struct Allocations {
  std::size_t count = 0;
  std::size_t bytes = 0;
};
Allocations allocations();

/// What `use` took.
template <typename Use>
Allocations allocations_of(Use use) {
  const Allocations before = allocations();
  use();
  const Allocations after = allocations();
  return {after.count - before.count, after.bytes - before.bytes};
}

/// How much more `use(2 * n)` takes than `use(n)`: the larger of both ratios. About 2 when the work is linear, 4 when
/// it copies what is there for each element that comes. `prepare(n)` makes the input, which is not counted.
template <typename Prepare, typename Use>
double growth(std::size_t n, Prepare prepare, Use use) {
  const auto small = prepare(n);
  const auto large = prepare(2 * n);
  const Allocations first = allocations_of([&] { use(small); });
  const Allocations second = allocations_of([&] { use(large); });
  const auto ratio = [](std::size_t a, std::size_t b) { return static_cast<double>(b) / static_cast<double>(a); };
  const double count = ratio(first.count, second.count);
  const double bytes = ratio(first.bytes, second.bytes);
  return count > bytes ? count : bytes;
}

inline constexpr double kLinear = 2.2;

}  // namespace test
