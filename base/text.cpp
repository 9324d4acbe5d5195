#include "base/text.h"

#include <algorithm>

namespace base {
namespace {

/// As views or as strings of their own.
template <typename Part>
std::vector<Part> filled_parts(std::string_view text, std::string_view separators) {
  std::vector<Part> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  return filled_parts<std::string>(text, {&separator, 1});
}

std::vector<std::string_view> words_of(std::string_view text) { return filled_parts<std::string_view>(text, " \t"); }

std::vector<std::string_view> fields_of(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

}  // namespace base
