#include "csctl/screen/screen.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/log.h"

namespace csctl {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::size_t kGap = 2;
/// A cell that is longer pushes what stands behind it, in its own row alone.
constexpr std::size_t kMaxColumn = 56;

/// Select Graphic Rendition (ECMA-48, section 8.3.117).
std::string_view colour_of(Tone tone) {
  switch (tone) {
    case Tone::kPlain: return "";
    case Tone::kGood: return "\x1b[32m";
    case Tone::kBad: return "\x1b[31m";
    case Tone::kFaint: return "\x1b[2m";
    case Tone::kStrong: return "\x1b[1m";
  }
  return "";
}

/// In characters; those that a terminal shows twice as wide count as one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

Row printable(const Row& row) {
  Row shown;
  for (const Cell& cell : row) shown.emplace_back(base::log::one_line(cell.text), cell.tone);
  return shown;
}

}  // namespace

Screen Screen::of_standard_output() {
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const bool is_colour_unwanted = no_colour != nullptr && *no_colour != '\0';
  return {std::cout, {.is_terminal = is_terminal, .has_colour = is_terminal && !is_colour_unwanted}};
}

void Screen::write(const Cell& cell, std::size_t width) {
  const std::string_view colour = manner_.has_colour ? colour_of(cell.tone) : "";
  out_ << colour << cell.text;
  if (!colour.empty()) out_ << kReset;
  if (width == 0) return;
  const std::size_t used = width_of(cell.text);
  out_ << std::string(used + kGap <= width ? width - used : kGap, ' ');
}

void Screen::heading(std::string_view text) {
  if (manner_.is_terminal) line({std::string(text), Tone::kStrong});
}

void Screen::line(const Cell& cell) {
  write({base::log::one_line(cell.text), cell.tone}, 0);
  out_ << '\n';
}

void Screen::table(const Table& table) {
  std::vector<Row> rows;
  const bool is_continued = std::ranges::all_of(table.headings, &std::string::empty);
  if (manner_.is_terminal && !is_continued) {
    Row headings;
    for (const std::string& heading : table.headings) headings.emplace_back(heading, Tone::kFaint);
    rows.push_back(std::move(headings));
  }
  for (const Row& row : table.rows) rows.push_back(printable(row));
  std::vector<std::size_t> widths(table.headings.size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths.at(i) = std::max(widths.at(i), std::min(width_of(row[i].text), kMaxColumn));
    }
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      write(row[i], manner_.is_terminal && !is_last ? widths.at(i) + kGap : 0);
      if (!manner_.is_terminal && !is_last) out_ << '\t';
    }
    out_ << '\n';
  }
}

void Screen::page(std::string_view text) { out_ << text; }

void Screen::json(const base::Json& document) { out_ << text_of(document); }

std::string Screen::text_of(const base::Json& document) {
  constexpr int kIndent = 2;
  constexpr bool kAsciiOnly = true;
  return document.dump(kIndent, ' ', kAsciiOnly, base::Json::error_handler_t::replace) + "\n";
}

}  // namespace csctl
