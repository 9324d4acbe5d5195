#include "csctl/commands/rows.h"

namespace csctl {
namespace {

using base::Json;

std::string leaf_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void add_leaves(const Json& value, const std::string& path, std::vector<std::pair<std::string, std::string>>& leaves) {
  if (!value.is_structured() || value.empty()) {
    leaves.emplace_back(path, leaf_text(value));
    return;
  }
  for (const auto& [key, child] : value.items()) {
    add_leaves(child, value.is_array() ? path + "[" + key + "]" : path + (path.empty() ? "" : ".") + key, leaves);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> leaves_of(const Json& document) {
  std::vector<std::pair<std::string, std::string>> leaves;
  add_leaves(document, "", leaves);
  return leaves;
}

}  // namespace csctl
