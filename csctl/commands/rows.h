#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace csctl {

/// Of the place of a value in a document: it stands beside each of them. What is longer ends with "...".
inline constexpr std::size_t kMaxPathBytes = 512;

/// The values in a document, each with its place in it, such as "quotes[0].bank": texts as they are, others as JSON. An
/// empty list or object is a value.
std::vector<std::pair<std::string, std::string>> leaves_of(const base::Json& document);

/// A node of a document, as a person sees it: below what holds it, and further in.
struct Branch {
  std::string label;                 ///< "  container", "    [0]"
  std::string path;                  ///< "submods.container", "args[0]"
  std::optional<std::string> value;  ///< of leaves_of; nothing of what holds others
};
std::vector<Branch> tree_of(const base::Json& document);

/// A claim's value, of times also as such.
std::string claim_text(const std::string& path, const std::string& value);

}  // namespace csctl
