#include "launcher/spec/attributes.h"

#include "base/error.h"
#include "base/json.h"
#include "base/parse_number.h"
#include "base/text.h"
#include "launcher/spec/parse_bool.h"

namespace launcher {
namespace {

using base::Error;
using base::InvalidInput;

constexpr base::JsonLimits kDocumentLimits{
    .max_bytes = kMaxAttributesBytes, .max_depth = 4, .max_values = kMaxAttributes + 1};

}  // namespace

Attributes parse_attributes(std::string_view json) {
  const base::Json document = base::parse_json(json, "metadata", kDocumentLimits);
  const base::JsonObject object(document, "metadata");
  Attributes attributes;
  for (const auto& [key, value] : document.items()) {
    if (!value.is_string()) throw InvalidInput("metadata." + std::string(base::shown_key(key)), "expected a string");
    attributes.emplace(key, value.get<std::string>());
  }
  return attributes;
}

const std::string& AttributeReader::text(std::string_view key) const {
  static const std::string kNothing;
  const auto found = attributes_.find(key);
  return found == attributes_.end() ? kNothing : found->second;
}

bool AttributeReader::boolean(std::string_view key) {
  return read(key, [key](const std::string& text) { return parse_bool_attribute(key, text); }).value_or(false);
}

std::vector<std::string> AttributeReader::comma_list(std::string_view key) const { return base::split(text(key), ','); }

std::string shown(std::string_view text) { return std::string(base::shown_key(text)); }

bool parse_bool_attribute(std::string_view key, std::string_view text) {
  const auto value = parse_bool(text);
  if (!value) throw Error("invalid value for " + std::string(key) + " (not a boolean): \"" + shown(text) + "\"");
  return *value;
}

std::uint64_t parse_number_attribute(std::string_view key, std::string_view text) {
  const auto value = base::parse_number(text);
  if (!value) throw Error("failed to convert " + std::string(key) + " into uint64, got: " + shown(text));
  return *value;
}

std::vector<std::string> parse_array_attribute(std::string_view key, std::string_view text) {
  const base::Json array = base::parse_json(text, key, kDocumentLimits);
  std::vector<std::string> elements;
  if (array.is_null()) return elements;
  if (!array.is_array()) throw InvalidInput(key, "expected an array of strings");
  for (const base::Json& item : array) {
    const std::string field = std::string(key) + "[" + std::to_string(elements.size()) + "]";
    if (!item.is_string()) throw InvalidInput(field, "expected a string");
    elements.push_back(item.get<std::string>());
    if (elements.back().find('\0') != std::string::npos) throw InvalidInput(field, "contains NUL");
  }
  return elements;
}

}  // namespace launcher
