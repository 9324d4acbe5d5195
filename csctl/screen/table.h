#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace csctl {

/// How something is meant; shown as a colour, where there are colours.
enum class Tone : std::uint8_t { kPlain, kGood, kBad, kFaint, kStrong };

struct Cell {
  Cell(std::string words, Tone meant = Tone::kPlain)  // NOLINT(google-explicit-constructor): most cells are texts
      : text(std::move(words)), tone(meant) {}
  Cell(const char* words) : text(words) {}  // NOLINT(google-explicit-constructor)

  std::string text;
  Tone tone = Tone::kPlain;
};

using Row = std::vector<Cell>;

/// Rows under headings. A row may have less cells than there are headings, and not more. Headings that are all empty
/// are those of the table before.
struct Table {
  std::vector<std::string> headings;
  std::vector<Row> rows = {};
};

}  // namespace csctl
