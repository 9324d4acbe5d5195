#include "base/clock.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <sstream>
#include <string>

namespace base {

Clock Clock::system() {
  return {.wall = [] { return std::chrono::system_clock::now(); },
          .since_boot =
              [] {
                timespec now{};
                clock_gettime(CLOCK_BOOTTIME, &now);
                return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
              }};
}

std::int64_t to_unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

WallTime from_unix_seconds(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

std::string to_rfc3339(WallTime time) {
  const std::time_t seconds = to_unix_seconds(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

std::optional<WallTime> parse_rfc3339(const std::string& text) {
  constexpr int kFirstYear = 1970 - 1900;
  constexpr int kLastYear = 2261 - 1900;
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || end != text.c_str() + text.size()) return std::nullopt;
  if (parts.tm_year < kFirstYear || parts.tm_year > kLastYear) return std::nullopt;
  const WallTime time = from_unix_seconds(::timegm(&parts));
  // One moment has one spelling: no 31st of April, no blanks, no missing zeros.
  return to_rfc3339(time) == text ? std::optional(time) : std::nullopt;
}

std::string to_rfc3339_micro(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  std::string fraction = std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time - whole).count());
  fraction.insert(0, 6 - fraction.size(), '0');
  std::string text = to_rfc3339(whole);
  text.insert(text.size() - 1, "." + fraction);
  return text;
}

std::string to_seconds_text(std::chrono::nanoseconds duration) {
  std::ostringstream text;
  text.precision(3);
  text << std::fixed << std::chrono::duration<double>(duration).count();
  return text.str();
}

}  // namespace base
