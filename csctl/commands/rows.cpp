#include "csctl/commands/rows.h"

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/parse_number.h"

namespace csctl {
namespace {

using base::Json;

std::string leaf_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

constexpr const char* kCut = "...";

bool is_leaf(const Json& value) { return !value.is_structured() || value.empty(); }

std::string child_path(const Json& parent, const std::string& path, const std::string& key) {
  if (path.ends_with(kCut)) return path;
  if (path.size() + key.size() > kMaxPathBytes) return path + kCut;
  return parent.is_array() ? path + "[" + key + "]" : path + (path.empty() ? "" : ".") + key;
}

void add_branches(const Json& parent, const std::string& path, const std::string& indent, std::vector<Branch>& tree) {
  for (const auto& [key, child] : parent.items()) {
    const std::string place = child_path(parent, path, key);
    const std::string label = indent + (parent.is_array() ? "[" + key + "]" : key);
    if (is_leaf(child)) {
      tree.push_back({label, place, leaf_text(child)});
    } else {
      tree.push_back({label, place, std::nullopt});
      add_branches(child, place, indent + "  ", tree);
    }
  }
}

void add_leaves(const Json& value, const std::string& path, std::vector<std::pair<std::string, std::string>>& leaves) {
  if (is_leaf(value)) {
    leaves.emplace_back(path, leaf_text(value));
    return;
  }
  for (const auto& [key, child] : value.items()) {
    add_leaves(child, child_path(value, path, key), leaves);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> leaves_of(const Json& document) {
  std::vector<std::pair<std::string, std::string>> leaves;
  add_leaves(document, "", leaves);
  return leaves;
}

std::vector<Branch> tree_of(const Json& document) {
  std::vector<Branch> tree;
  add_branches(document, "", "", tree);
  return tree;
}

std::string claim_text(const std::string& path, const std::string& value) {
  const bool is_time = path == "iat" || path == "nbf" || path == "exp";
  const auto seconds = is_time ? base::parse_number(value) : std::nullopt;
  constexpr std::uint64_t kLast = 9'000'000'000;  // of the years that a WallTime holds
  if (!seconds || *seconds > kLast) return value;
  return value + " (" + base::to_rfc3339(base::from_unix_seconds(static_cast<std::int64_t>(*seconds))) + ")";
}

}  // namespace csctl
