#pragma once

#include <cstddef>
#include <string>

namespace launcher {

/// With blanks between, as the contract's errors list words.
template <typename Words>
std::string joined(const Words& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

/// Of a list that is shown for what is not on it.
inline constexpr std::size_t kMaxListShown = 1024;

/// The same with as many words as fit into kMaxListShown bytes, and how many there are beyond.
template <typename Words>
std::string joined_briefly(const Words& words) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& word : words) {
    if (text.size() + word.size() + 1 > kMaxListShown) break;
    text += (shown++ == 0 ? "" : " ") + std::string(word);
  }
  if (shown < words.size()) text += " ... and " + std::to_string(words.size() - shown) + " more";
  return text;
}

}  // namespace launcher
