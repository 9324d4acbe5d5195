#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// What stands between the separators, as it is written; what is empty is dropped.
std::vector<std::string> split(std::string_view text, char separator);

/// The same between blanks and tabs; of the text that was given.
std::vector<std::string_view> words_of(std::string_view text);

/// Every part between separators, empty ones as well; of the text that was given.
std::vector<std::string_view> fields_of(std::string_view text, char separator);

/// The number of the line, from 1, in which the byte at `offset` stands.
std::size_t line_at(std::string_view text, std::size_t offset);

}  // namespace base
