#include "tests/unit/support/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> total_count{0};
std::atomic<std::size_t> total_bytes{0};

}  // namespace

// Arrays are left to the library, or the sanitizer: containers take none. Not inlined, or the compiler sees that what
// one side takes with malloc the other gives back with free, and warns of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++total_count;
  total_bytes += size;
  return std::malloc(size == 0 ? 1 : size);
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  void* memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace test {

Allocations allocations() { return {total_count, total_bytes}; }

}  // namespace test
