#include "base/log.h"

#include <algorithm>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace base::log {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("._:/@+-").find(c) != std::string_view::npos;
}

void append_quoted(std::string& line, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  line.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line.push_back('\\');
      line.push_back(c);
    } else if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line.push_back(kHex[byte >> 4U]);
      line.push_back(kHex[byte & 0x0fU]);
    } else {
      line.push_back(c);
    }
  }
  line.push_back('"');
}

void write(spdlog::level::level_enum level, std::string_view name, std::string_view message, Fields fields) {
  if (!spdlog::default_logger_raw()->should_log(level)) return;
  std::string line = "level=";
  line += name;
  line += ' ';
  line += format(message, fields);
  spdlog::default_logger_raw()->log(level, line);
}

}  // namespace

std::string format(std::string_view message, Fields fields) {
  std::string line = "msg=";
  append_quoted(line, message);
  for (const Field& field : fields) {
    line.push_back(' ');
    line += field.key;
    line.push_back('=');
    if (!field.value.empty() && std::ranges::all_of(field.value, is_plain)) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  return line;
}

void start(Level lowest) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
  switch (lowest) {
    case Level::kDebug: logger->set_level(spdlog::level::debug); break;
    case Level::kInfo: logger->set_level(spdlog::level::info); break;
    case Level::kWarning: logger->set_level(spdlog::level::warn); break;
    case Level::kError: logger->set_level(spdlog::level::err); break;
  }
  spdlog::set_default_logger(std::move(logger));
}

void debug(std::string_view message, Fields fields) { write(spdlog::level::debug, "DEBUG", message, fields); }
void info(std::string_view message, Fields fields) { write(spdlog::level::info, "INFO", message, fields); }
void warning(std::string_view message, Fields fields) { write(spdlog::level::warn, "WARN", message, fields); }
void error(std::string_view message, Fields fields) { write(spdlog::level::err, "ERROR", message, fields); }

}  // namespace base::log
