#pragma once

namespace base {

/// Of a std::unique_ptr to what a C library frees with a function.
template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

}  // namespace base
