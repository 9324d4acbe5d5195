#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/json.h"
#include "csctl/screen/table.h"

namespace csctl {

/// Where answers go. A person at a terminal sees aligned columns and colours; a program gets the cells of a row
/// between tabs, without headings, and no colours. Whatever is shown, nothing of it moves the cursor or hides a word:
/// control characters and invalid UTF-8 are shown as \xNN, in JSON as it escapes them.
class Screen {
 public:
  struct Manner {
    bool is_terminal = false;
    bool has_colour = false;
  };

  Screen(std::ostream& out, Manner manner) : out_(out), manner_(manner) {}
  /// Standard output: colours at a terminal only, and not there where NO_COLOR is set (no-color.org).
  static Screen of_standard_output();

  /// Whether a person reads it, at a terminal.
  bool is_for_person() const noexcept { return manner_.is_terminal; }

  /// A line that a program has no use for: shown at a terminal only.
  void heading(std::string_view text);
  void line(const Cell& cell);
  void table(const Table& table);
  /// A text for another program, such as a browser, as it is.
  void page(std::string_view text);
  /// The whole answer as one document.
  void json(const base::Json& document);
  /// As which it is shown: with a line's end, in ASCII; what is no UTF-8 is replaced.
  static std::string text_of(const base::Json& document);

 private:
  void write(const Cell& cell, std::size_t width);

  std::ostream& out_;
  Manner manner_;
};

}  // namespace csctl
