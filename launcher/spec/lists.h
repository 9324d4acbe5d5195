#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace launcher {

/// What stands between the separators, as it is written; what is empty is dropped.
std::vector<std::string> split(std::string_view text, char separator);

/// With blanks between, as the contract's errors list words.
template <typename Words>
std::string joined(const Words& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

}  // namespace launcher
