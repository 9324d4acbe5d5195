#pragma once

#include <string>
#include <string_view>

namespace launcher {

/// Which of its two ends a workload wrote to.
enum class OutputStream { kStdout, kStderr };

constexpr std::string_view name_of(OutputStream stream) {
  return stream == OutputStream::kStdout ? "stdout" : "stderr";
}

/// Of what a workload wrote to that end, as Cloud Logging calls it (LogSeverity).
constexpr std::string_view severity_of(OutputStream stream) {
  return stream == OutputStream::kStdout ? "INFO" : "ERROR";
}

/// What a workload wrote, raw: one line without its end for sinks that take lines, any piece for those that take bytes.
struct Output {
  OutputStream stream = OutputStream::kStdout;
  std::string bytes;
};

/// {"message":"...","severity":"..."}: one line of JSON. Bytes that are not UTF-8 are replaced by U+FFFD.
std::string json_line(const Output& line);

}  // namespace launcher
