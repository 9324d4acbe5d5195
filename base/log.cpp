#include "base/log.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/journal_stream.h"

namespace base::log {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_plain(char c) { return is_alphanumeric_or(c, "._:/@+-"); }

constexpr char kPriorityFlag = '*';

/// `<N>` of a line (sd-daemon(3)), with syslog's numbers.
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const std::string_view prefix = prefix_of(message.level);
    line.append(prefix.data(), prefix.data() + prefix.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }

 private:
  static std::string_view prefix_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return SD_ERR;
    if (level == spdlog::level::warn) return SD_WARNING;
    return level == spdlog::level::info ? SD_INFO : SD_DEBUG;
  }
};

void append_hex(std::string& line, std::uint32_t number, unsigned digits) {
  for (unsigned left = digits; left > 0; --left) line.push_back(kHex[(number >> (4 * (left - 1))) & 0x0fU]);
}

/// How many bytes the character has that `text` begins with; 0 when they are not UTF-8.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && is_utf8(text.substr(0, length)) ? length : 0;
}

/// Of one whole character.
std::uint32_t code_point(std::string_view character) {
  constexpr std::array<unsigned, 5> kLeadBits = {0, 0x7f, 0x1f, 0x0f, 0x07};
  std::uint32_t value = static_cast<unsigned char>(character.front()) & kLeadBits.at(character.size());
  for (const char c : character.substr(1)) value = (value << 6U) | (static_cast<unsigned char>(c) & 0x3fU);
  return value;
}

/// What moves the cursor, ends a line or turns the direction of what follows (Unicode 15, chapters 23.1 and 23.2).
bool is_control(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void append_character(std::string& line, std::string_view character, bool is_quoted) {
  const std::uint32_t c = code_point(character);
  if (is_quoted && (c == '"' || c == '\\')) {
    line.push_back('\\');
    line += character;
  } else if (c == '\n') {
    line += "\\n";
  } else if (!is_control(c)) {
    line += character;
  } else if (c < 0x80) {
    line += "\\x";
    append_hex(line, c, 2);
  } else {
    line += "\\u";
    append_hex(line, c, 4);
  }
}

/// Of `text` that was cut the last bytes may be no whole character.
void append_escaped(std::string& line, std::string_view text, bool is_quoted, bool is_cut) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0 && text.size() < 4 && is_cut) break;
    if (length == 0) {
      line += "\\x";
      append_hex(line, static_cast<unsigned char>(text.front()), 2);
    } else {
      append_character(line, text.substr(0, length), is_quoted);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

/// Nothing, when all of it is there.
std::string cut_mark(std::size_t whole, std::size_t max_bytes) {
  return whole > max_bytes ? "... (cut, " + std::to_string(whole) + " bytes)" : std::string();
}

void append_quoted(std::string& line, std::string_view text, std::size_t max_bytes) {
  line.push_back('"');
  append_escaped(line, text.substr(0, max_bytes), true, text.size() > max_bytes);
  line += cut_mark(text.size(), max_bytes);
  line.push_back('"');
}

void append_key(std::string& line, std::string_view key) {
  for (const char c : key.substr(0, kMaxKeyBytes)) line.push_back(is_plain(c) ? c : '_');
}

std::mutex copy_mutex;
Copy copy;  // under the mutex

void hand_on_copy(Level level, std::string_view message, Fields fields, std::size_t max_bytes) {
  const auto cut = [max_bytes](std::string_view text) {
    return std::string(text.substr(0, max_bytes)) + cut_mark(text.size(), max_bytes);
  };
  const std::scoped_lock lock(copy_mutex);
  if (!copy) return;
  std::vector<Field> shown;
  for (const Field& field : fields) shown.emplace_back(field.key.substr(0, kMaxKeyBytes), cut(field.value));
  copy(level, cut(message), shown);
}

void write(Level which, spdlog::level::level_enum level, std::string_view name, std::string_view message, Fields fields,
           std::size_t max_bytes = kMaxTextBytes) {
  if (!spdlog::default_logger_raw()->should_log(level)) return;
  hand_on_copy(which, message, fields, max_bytes);
  std::string line = "level=";
  line += name;
  line += ' ';
  line += format(message, fields, max_bytes);
  spdlog::default_logger_raw()->log(level, line);
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  append_escaped(line, text, false, false);
  return line;
}

std::string format(std::string_view message, Fields fields, std::size_t max_bytes) {
  std::string line = "msg=";
  append_quoted(line, message, max_bytes);
  for (const Field& field : fields) {
    line.push_back(' ');
    append_key(line, field.key);
    line.push_back('=');
    if (!field.value.empty() && field.value.size() <= max_bytes && std::ranges::all_of(field.value, is_plain)) {
      line += field.value;
    } else {
      append_quoted(line, field.value, max_bytes);
    }
  }
  return line;
}

const std::map<std::string, Level>& levels() {
  static const std::map<std::string, Level> by_name = {{"trace", Level::kTrace},
                                                       {"debug", Level::kDebug},
                                                       {"info", Level::kInfo},
                                                       {"warning", Level::kWarning},
                                                       {"error", Level::kError}};
  return by_name;
}

void start(Level lowest) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<Priority>(kPriorityFlag);
  formatter->set_pattern(log_is_journal() ? "%*time=%Y-%m-%dT%H:%M:%S.%eZ %v" : "time=%Y-%m-%dT%H:%M:%S.%eZ %v");
  logger->set_formatter(std::move(formatter));
  switch (lowest) {
    case Level::kTrace: logger->set_level(spdlog::level::trace); break;
    case Level::kDebug: logger->set_level(spdlog::level::debug); break;
    case Level::kInfo: logger->set_level(spdlog::level::info); break;
    case Level::kWarning: logger->set_level(spdlog::level::warn); break;
    case Level::kError: logger->set_level(spdlog::level::err); break;
  }
  spdlog::set_default_logger(std::move(logger));
}

void copy_to(Copy to) {
  const std::scoped_lock lock(copy_mutex);
  copy = std::move(to);
}

void trace(std::string_view message, Fields fields) {
  write(Level::kTrace, spdlog::level::trace, "TRACE", message, fields);
}
void debug(std::string_view message, Fields fields) {
  write(Level::kDebug, spdlog::level::debug, "DEBUG", message, fields);
}
void document(std::string_view message, Fields fields) {
  write(Level::kInfo, spdlog::level::info, "INFO", message, fields, kMaxDocumentBytes);
}
void info(std::string_view message, Fields fields) {
  write(Level::kInfo, spdlog::level::info, "INFO", message, fields);
}
void warning(std::string_view message, Fields fields) {
  write(Level::kWarning, spdlog::level::warn, "WARN", message, fields);
}
void error(std::string_view message, Fields fields) {
  write(Level::kError, spdlog::level::err, "ERROR", message, fields);
}

}  // namespace base::log
