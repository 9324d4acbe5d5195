#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base::log {

enum class Level { kTrace, kDebug, kInfo, kWarning, kError };

/// By the names that options give them: trace, debug, info, warning and error.
const std::map<std::string, Level>& levels();

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

inline constexpr std::size_t kMaxKeyBytes = 64;
/// Of a message or a value; what is longer is cut, and its length said.
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 10U;
/// The same for `document`.
inline constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 20U;

/// Lines go to standard error, ahead of them `<N>` where that is systemd's journal (sd-daemon(3)), so that it knows
/// their priority: `time=<RFC 3339> level=INFO msg="text" key=value`. A value with anything but letters, digits and
/// ._:/@+- is quoted. In quotes, what could break a line, a terminal or the order of what is read is escaped: \n, \",
/// \\, \xNN for other control characters of ASCII and for bytes that are not UTF-8, \uNNNN for those beyond.
void start(Level lowest);

/// Each step with others, such as a request and how it was answered: never what it holds.
void trace(std::string_view message, Fields fields = {});
void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

/// Gets a copy of each line that is written, as long as that is, and not escaped. Called on the thread that logs; must
/// not block, throw, or log.
using Copy = std::function<void(Level, std::string_view message, const std::vector<Field>& fields)>;
/// From now on, in place of an earlier one; none for an empty function.
void copy_to(Copy copy);

/// Information whose texts are read by programs, and therefore stand there whole as far as anybody can want.
void document(std::string_view message, Fields fields = {});

/// `text` on one line that no terminal acts on: escaped as in quotes, but for quotes and backslashes.
std::string one_line(std::string_view text);

/// `msg="..." key=value`, as it stands behind time and level.
std::string format(std::string_view message, Fields fields, std::size_t max_bytes = kMaxTextBytes);

}  // namespace base::log
