#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace base::log {

enum class Level { kDebug, kInfo, kWarning, kError };

/// One key=value of a log line. Never pass the value of an environment variable, a token or an API key.
struct Field {
  Field(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  Field(std::string_view field_key, const char* text) : key(field_key), value(text) {}
  Field(std::string_view field_key, std::string text) : key(field_key), value(std::move(text)) {}
  Field(std::string_view field_key, std::int64_t number) : key(field_key), value(std::to_string(number)) {}
  Field(std::string_view field_key, int number) : key(field_key), value(std::to_string(number)) {}
  Field(std::string_view field_key, std::uint64_t number) : key(field_key), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

using Fields = std::initializer_list<Field>;

/// Lines go to standard error: `time=<RFC 3339> level=INFO msg="text" key=value`. A value with anything but letters,
/// digits and ._:/@+- is quoted, and what could break a line or a terminal is escaped.
void start(Level lowest);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

/// `msg="..." key=value`, as it stands behind time and level.
std::string format(std::string_view message, Fields fields);

}  // namespace base::log
