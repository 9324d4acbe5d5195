#include "base/json.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/text.h"

namespace base {
namespace {

[[noreturn]] void wrong_type(std::string_view path, std::string_view expected, const Json& found) {
  throw InvalidInput(path, "expected " + std::string(expected) + ", found " + found.type_name());
}

std::string string_at(const Json& value, std::string_view path) {
  if (!value.is_string()) wrong_type(path, "a string", value);
  return value.get<std::string>();
}

/// Builds the document from the library's events. Its own builder, when it is to be asked about each value, looks
/// through all siblings after each of them.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, std::string_view subject, JsonLimits limits)
      : text_(text), subject_(subject), limits_(limits) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { fail("holds binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    const auto [member, is_new] = open_.back()->get_ref<Json::object_t&>().emplace(std::move(key), nullptr);
    if (!is_new) fail("key \"" + std::string(shown_key(member->first)) + "\" stands twice in one object");
    member_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    // The library's text quotes the input, which may hold a secret; the position is enough to find the fault.
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow) fail("holds a number that is out of range");
    fail("not valid JSON at byte " + std::to_string(position) + line_of(position));
  }

 private:
  /// And column, counted in bytes, of a text that has several lines.
  std::string line_of(std::size_t position) const {
    if (text_.find('\n') >= text_.size() - 1) return {};
    const std::size_t offset = std::min(position == 0 ? 0 : position - 1, text_.size());
    const std::size_t end_before = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
    const std::size_t column = end_before == std::string_view::npos ? offset + 1 : offset - end_before;
    return ", line " + std::to_string(line_at(text_, offset)) + ", column " + std::to_string(column);
  }

  [[noreturn]] void fail(const std::string& reason) const { throw InvalidInput(subject_, reason); }

  Json* place(Json value) {
    if (++values_ > limits_.max_values) fail("holds more than " + std::to_string(limits_.max_values) + " values");
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) return &open_.back()->get_ref<Json::array_t&>().emplace_back(std::move(value));
    *member_ = std::move(value);
    return member_;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (open_.size() == limits_.max_depth) {
      fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view subject_;
  JsonLimits limits_;
  Json root_;
  std::vector<Json*> open_;  ///< from the root to where the parser stands
  Json* member_ = nullptr;   ///< of the innermost object, what the next value is for
  std::size_t values_ = 0;
};

/// The library keeps a number twice over before it reads it.
void expect_short_numbers(std::string_view text, std::string_view subject) {
  bool in_string = false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      const bool is_of_number = is_digit(c) || std::string_view("+-.eE").find(c) != std::string_view::npos;
      length = is_of_number ? length + 1 : 0;
    }
    if (length <= kMaxNumberBytes) continue;
    throw InvalidInput(subject, "holds a number of more than " + std::to_string(kMaxNumberBytes) + " characters");
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view subject, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    throw InvalidInput(subject, "longer than " + std::to_string(limits.max_bytes) + " bytes");
  }
  if (text.starts_with("\xef\xbb\xbf")) throw InvalidInput(subject, "begins with a byte order mark");
  expect_short_numbers(text, subject);
  Builder builder(text, subject, limits);
  Json::sax_parse(text, &builder);
  return builder.take();
}

JsonObject::JsonObject(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {
  if (!value.is_object()) wrong_type(path_, "an object", value);
}

std::string_view shown_key(std::string_view key) {
  if (key.size() <= kMaxKeyInError) return key;
  std::size_t length = kMaxKeyInError;
  while (length > 0 && (static_cast<unsigned char>(key[length]) & 0xc0U) == 0x80U) --length;  // not within a character
  return key.substr(0, length);
}

std::string JsonObject::path_of(std::string_view key) const { return path_ + "." + std::string(shown_key(key)); }

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

WallTime JsonObject::time(const char* key) const {
  require(key);
  return *optional_time(key);
}

std::optional<WallTime> JsonObject::optional_time(const char* key) const {
  const auto text = optional_string(key);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) throw InvalidInput(path_of(key), "is no time such as 2026-01-31T23:59:59Z");
  return time;
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
