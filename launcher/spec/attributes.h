#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/problems.h"

namespace launcher {

/// The operator's attributes as they came: key and text.
using Attributes = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t kMaxAttributesBytes = std::size_t{4} << 20U;
/// Of attributes, and of the elements of an array in one of them; more than can be measured (kMaxLaunchEvents).
inline constexpr std::size_t kMaxAttributes = 16384;

/// A JSON object whose values are all strings; throws InvalidInput.
Attributes parse_attributes(std::string_view json);

/// Reads one attribute after the other. One that is absent or empty asks for nothing; one that is wrong becomes a
/// problem that names it, and counts as absent from then on.
class AttributeReader {
 public:
  explicit AttributeReader(const Attributes& attributes) : attributes_(attributes) {}

  const Attributes& all() const noexcept { return attributes_; }
  Problems& problems() noexcept { return problems_; }

  bool has(std::string_view key) const { return attributes_.contains(key); }
  const std::string& text(std::string_view key) const;

  /// What `parse` makes of the text; nothing where that is empty, or parse throws an Error.
  template <typename Parse>
  auto read(std::string_view key, Parse parse) -> std::optional<decltype(parse(std::string()))> {
    const std::string& value = text(key);
    if (value.empty()) return std::nullopt;
    try {
      return parse(value);
    } catch (const base::Error& error) {
      problems_.add(key, error);
      return std::nullopt;
    }
  }

  bool boolean(std::string_view key);
  /// Elements between commas, as they are written; those that are empty are dropped.
  std::vector<std::string> comma_list(std::string_view key) const;

 private:
  const Attributes& attributes_;
  Problems problems_;
};

/// As much of an operator's or author's text as stands in an error.
std::string shown(std::string_view text);

/// Throws Error("invalid value for `key` (not a boolean): ...").
bool parse_bool_attribute(std::string_view key, std::string_view text);

/// Decimal digits alone. Throws Error("failed to convert `key` into uint64, got: ...").
std::uint64_t parse_number_attribute(std::string_view key, std::string_view text);

/// A JSON array of strings without NUL; null is an empty one. Throws InvalidInput.
std::vector<std::string> parse_array_attribute(std::string_view key, std::string_view text);

}  // namespace launcher
