#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace base {

using WallTime = std::chrono::system_clock::time_point;

/// Where time comes from; a test gives its own.
struct Clock {
  /// The time of day. May jump.
  std::function<WallTime()> wall;
  /// Time since boot, counting sleep (CLOCK_BOOTTIME). Never jumps.
  std::function<std::chrono::nanoseconds()> since_boot;

  static Clock system();
};

/// Whole seconds since 1970-01-01T00:00:00Z, as JWT's NumericDate (RFC 7519 section 2).
std::int64_t to_unix_seconds(WallTime time);
WallTime from_unix_seconds(std::int64_t seconds);
/// RFC 3339 in UTC with whole seconds: 2026-01-31T23:59:59Z.
std::string to_rfc3339(WallTime time);
/// Such a text; nothing for any other, and for years that a WallTime does not hold (before 1970, from 2262 on).
std::optional<WallTime> parse_rfc3339(const std::string& text);
/// With six decimals of the second.
std::string to_rfc3339_micro(WallTime time);
/// With three decimals: 12.345.
std::string to_seconds_text(std::chrono::nanoseconds duration);

}  // namespace base
