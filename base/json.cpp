#include "base/json.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/error.h"

namespace base {
namespace {

[[noreturn]] void wrong_type(std::string_view path, std::string_view expected, const Json& found) {
  throw InvalidInput(path, "expected " + std::string(expected) + ", found " + found.type_name());
}

std::string string_at(const Json& value, std::string_view path) {
  if (!value.is_string()) wrong_type(path, "a string", value);
  return value.get<std::string>();
}

}  // namespace

Json parse_json(std::string_view text, std::string_view subject, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    throw InvalidInput(subject, "longer than " + std::to_string(limits.max_bytes) + " bytes");
  }
  std::vector<std::set<std::string, std::less<>>> keys_of_open_objects;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using enum nlohmann::detail::parse_event_t;
    if (static_cast<std::size_t>(depth) > limits.max_depth) {
      throw InvalidInput(subject, "nested deeper than " + std::to_string(limits.max_depth) + " levels");
    }
    if (event == object_start) {
      keys_of_open_objects.emplace_back();
    } else if (event == object_end) {
      keys_of_open_objects.pop_back();
    } else if (event == key && !keys_of_open_objects.back().insert(parsed.get<std::string>()).second) {
      throw InvalidInput(subject, "key \"" + parsed.get<std::string>() + "\" stands twice in one object");
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    // The library's text quotes the input, which may hold a secret; the position is enough to find the fault.
    const auto* parse_error = dynamic_cast<const Json::parse_error*>(&error);
    throw InvalidInput(subject, parse_error != nullptr ? "not valid JSON at byte " + std::to_string(parse_error->byte)
                                                       : "holds a number that is out of range");
  }
}

JsonObject::JsonObject(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {
  if (!value.is_object()) wrong_type(path_, "an object", value);
}

std::string JsonObject::path_of(std::string_view key) const { return path_ + "." + std::string(key); }

const Json* JsonObject::find(const char* key) const {
  const auto member = value_->find(key);
  return member == value_->end() || member->is_null() ? nullptr : &*member;
}

const Json& JsonObject::require(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) throw InvalidInput(path_of(key), "is missing");
  return *member;
}

bool JsonObject::has(const char* key) const { return find(key) != nullptr; }

std::string JsonObject::string(const char* key) const { return string_at(require(key), path_of(key)); }

std::optional<std::string> JsonObject::optional_string(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  return string_at(*member, path_of(key));
}

std::string JsonObject::string_or(const char* key, std::string_view fallback) const {
  return optional_string(key).value_or(std::string(fallback));
}

std::uint64_t JsonObject::unsigned_integer(const char* key) const {
  require(key);
  return *optional_unsigned(key);
}

std::optional<std::uint64_t> JsonObject::optional_unsigned(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  const bool is_natural =
      member->is_number_unsigned() || (member->is_number_integer() && member->get<std::int64_t>() >= 0);
  if (!is_natural) wrong_type(path_of(key), "a whole number that is not negative", *member);
  return member->get<std::uint64_t>();
}

std::optional<std::int64_t> JsonObject::optional_integer(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_number_integer()) wrong_type(path_of(key), "a whole number", *member);
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
    throw InvalidInput(path_of(key), "is out of range");
  }
  return member->get<std::int64_t>();
}

std::optional<bool> JsonObject::optional_bool(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_boolean()) wrong_type(path_of(key), "true or false", *member);
  return member->get<bool>();
}

Bytes JsonObject::bytes(const char* key) const { return base64_decode(string(key), path_of(key)); }

Bytes JsonObject::bytes_or_empty(const char* key) const { return has(key) ? bytes(key) : Bytes{}; }

std::vector<std::string> JsonObject::strings_or_empty(const char* key) const {
  std::vector<std::string> strings;
  const Json* member = find(key);
  if (member == nullptr) return strings;
  if (!member->is_array()) wrong_type(path_of(key), "an array", *member);
  strings.reserve(member->size());
  for (const Json& item : *member) {
    strings.push_back(string_at(item, path_of(key) + "[" + std::to_string(strings.size()) + "]"));
  }
  return strings;
}

JsonObject JsonObject::object(const char* key) const { return {require(key), path_of(key)}; }

std::optional<JsonObject> JsonObject::optional_object(const char* key) const {
  const Json* member = find(key);
  if (member == nullptr) return std::nullopt;
  return JsonObject(*member, path_of(key));
}

std::vector<JsonObject> JsonObject::objects_or_empty(const char* key) const {
  std::vector<JsonObject> objects;
  const Json* member = find(key);
  if (member == nullptr) return objects;
  if (!member->is_array()) wrong_type(path_of(key), "an array", *member);
  objects.reserve(member->size());
  for (const Json& item : *member) {
    objects.emplace_back(item, path_of(key) + "[" + std::to_string(objects.size()) + "]");
  }
  return objects;
}

void JsonObject::expect_only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : value_->items()) {
    if (std::ranges::find(known, key) == known.end()) throw InvalidInput(path_of(key), "unknown field");
  }
}

}  // namespace base
