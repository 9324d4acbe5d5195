#include "csctl/policy/claim_path.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/parse_number.h"

namespace csctl {
namespace {

using base::Json;

/// One step of a path: a member's name, or "[0]", an element's place.
struct Step {
  std::string_view name;
  std::optional<std::uint64_t> element;
  std::string_view rest;
};

std::string_view without_dot(std::string_view rest) { return rest.starts_with('.') ? rest.substr(1) : rest; }

std::optional<Step> element_step(std::string_view path) {
  const std::size_t end = path.find(']');
  if (!path.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  const auto number = base::parse_number(path.substr(1, end - 1));
  if (!number) return std::nullopt;
  return Step{.name = {}, .element = number, .rest = without_dot(path.substr(end + 1))};
}

/// The member with the longest name that the path begins with.
std::optional<Step> member_step(const Json& object, std::string_view path) {
  std::optional<Step> longest;
  for (const auto& [name, value] : object.items()) {
    if (!path.starts_with(name)) continue;
    const std::string_view rest = path.substr(name.size());
    const bool ends_there = rest.empty() || rest.front() == '.' || rest.front() == '[';
    if (ends_there && (!longest || name.size() > longest->name.size())) {
      longest = Step{.name = path.substr(0, name.size()), .element = {}, .rest = without_dot(rest)};
    }
  }
  return longest;
}

const Json* find_within(const Json& value, std::string_view path) {
  if (path.empty()) return &value;
  if (value.is_array()) {
    const auto step = element_step(path);
    if (!step || *step->element >= value.size()) return nullptr;
    return find_within(value[*step->element], step->rest);
  }
  if (!value.is_object()) return nullptr;
  const auto step = member_step(value, path);
  return step ? find_within(value.at(std::string(step->name)), step->rest) : nullptr;
}

}  // namespace

const Json* find_claim(const Json& claims, std::string_view path) {
  return path.empty() ? nullptr : find_within(claims, path);
}

void set_claim(Json& claims, std::string_view path, Json value) {
  const std::string field(path);
  if (path.empty()) throw base::InvalidInput("claim", "has no name");
  Json* place = &claims;
  while (!path.empty()) {
    if (place->is_array()) {
      const auto step = element_step(path);
      if (!step || *step->element >= place->size()) throw base::InvalidInput(field, "there is no such element");
      place = &(*place)[*step->element];
      path = step->rest;
      continue;
    }
    if (!place->is_object()) throw base::InvalidInput(field, "stands within what is no object");
    const auto step = member_step(*place, path);
    const std::size_t end = path.find('.');
    const std::string name(step ? step->name : path.substr(0, end));
    path = step ? step->rest : without_dot(path.substr(name.size()));
    Json& member = (*place)[name];
    if (member.is_null() && !path.empty()) member = Json::object();
    place = &member;
  }
  *place = std::move(value);
}

}  // namespace csctl
