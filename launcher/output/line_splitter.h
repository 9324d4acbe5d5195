#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace launcher {

/// A line that is longer comes in pieces of as much, each a line of its own.
inline constexpr std::size_t kMaxOutputLineBytes = std::size_t{16} << 10U;

/// Cuts a stream of bytes into lines.
class LineSplitter {
 public:
  using OnLine = std::function<void(std::string line)>;

  explicit LineSplitter(OnLine on_line) : on_line_(std::move(on_line)) {}

  /// Lines end with a line feed, which is not part of them; nor is a carriage return before it.
  void take(std::string_view bytes);
  /// What came behind the last line's end is a line, too.
  void finish();

 private:
  void end_line();

  OnLine on_line_;
  std::string begun_;
};

}  // namespace launcher
