#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/clock.h"

namespace base {

using Json = nlohmann::json;

/// A value takes far more memory than the two bytes that it may have in the text, hence their number is bounded, too.
struct JsonLimits {
  std::size_t max_bytes = std::size_t{4} << 20U;
  std::size_t max_depth = 32;
  std::size_t max_values = std::size_t{64} << 10U;  ///< of any kind, at any depth; keys are not counted
};

/// How much of a key that somebody else chose stands in an error, at the most.
inline constexpr std::size_t kMaxKeyInError = 64;
std::string_view shown_key(std::string_view key);

/// Of a number, as it is written.
inline constexpr std::size_t kMaxNumberBytes = 128;

/// Parses one JSON value that fills `text`, in time linear in its length. Refuses what different parsers read
/// differently: duplicate keys, trailing bytes, a byte order mark, invalid UTF-8, lone surrogates, numbers out of
/// range; and more bytes, depth or values than `limits`, and numbers of more than kMaxNumberBytes. `subject` names the
/// document in the InvalidInput that is thrown.
Json parse_json(std::string_view text, std::string_view subject, JsonLimits limits = {});

/// One object of a parsed document, read field by field with no implicit conversion. An error names the field by its
/// path ("<subject>.a.b[2]"). A member that is null counts as absent. Holds a reference: the document must outlive it.
class JsonObject {
 public:
  JsonObject(const Json& value, std::string path);

  const std::string& path() const noexcept { return path_; }
  bool has(const char* key) const;

  std::string string(const char* key) const;
  std::optional<std::string> optional_string(const char* key) const;
  std::string string_or(const char* key, std::string_view fallback) const;
  std::uint64_t unsigned_integer(const char* key) const;
  std::optional<std::uint64_t> optional_unsigned(const char* key) const;
  std::optional<std::int64_t> optional_integer(const char* key) const;
  std::optional<bool> optional_bool(const char* key) const;
  /// RFC 3339 in UTC with whole seconds.
  WallTime time(const char* key) const;
  std::optional<WallTime> optional_time(const char* key) const;
  /// Base64 text as bytes; see base64_decode.
  Bytes bytes(const char* key) const;
  Bytes bytes_or_empty(const char* key) const;
  std::vector<std::string> strings_or_empty(const char* key) const;

  JsonObject object(const char* key) const;
  std::optional<JsonObject> optional_object(const char* key) const;
  std::vector<JsonObject> objects_or_empty(const char* key) const;

  /// Throws for the first member that is not among `known`.
  void expect_only(std::initializer_list<std::string_view> known) const;

  const Json& raw() const noexcept { return *value_; }

 private:
  const Json* find(const char* key) const;
  const Json& require(const char* key) const;
  std::string path_of(std::string_view key) const;

  const Json* value_;
  std::string path_;
};

}  // namespace base
