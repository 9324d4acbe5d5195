#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace launcher {

/// Of what is wrong with one document; how many more there are is told.
inline constexpr std::size_t kMaxProblemsTold = 20;
/// Of the text of one; what is longer is cut.
inline constexpr std::size_t kMaxProblemBytes = std::size_t{4} << 10U;

/// What is wrong with a document: all of it, so that a person mends it once.
class Problems {
 public:
  void add(std::string problem);
  /// An error about `subject`, which the text names.
  void add(std::string_view subject, const base::Error& error);

  /// Calls `check` and keeps what it throws. False when it did.
  template <typename Check>
  bool collect(std::string_view subject, Check check) {
    try {
      check();
      return true;
    } catch (const base::Error& error) {
      add(subject, error);
      return false;
    }
  }

  bool empty() const noexcept { return problems_.empty(); }
  /// Throws Error with all of them, semicolons between, unless there is none.
  void throw_if_any() const;

 private:
  std::vector<std::string> problems_;
  std::size_t untold_ = 0;
};

}  // namespace launcher
