#include "launcher/container/stop_signal.h"

#include <array>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/parse_number.h"

namespace launcher {
namespace {

// Of x86 and Arm (signal(7)). The two that the C library keeps for itself are counted from the kernel's 32.
constexpr std::array<std::pair<std::string_view, int>, 34> kSignals = {{
    {"abrt", 6},  {"alrm", 14}, {"bus", 7},     {"chld", 17},  {"cld", 17},  {"cont", 18},   {"fpe", 8},
    {"hup", 1},   {"ill", 4},   {"int", 2},     {"io", 29},    {"iot", 6},   {"kill", 9},    {"pipe", 13},
    {"poll", 29}, {"prof", 27}, {"pwr", 30},    {"quit", 3},   {"segv", 11}, {"stkflt", 16}, {"stop", 19},
    {"sys", 31},  {"term", 15}, {"trap", 5},    {"tstp", 20},  {"ttin", 21}, {"ttou", 22},   {"urg", 23},
    {"usr1", 10}, {"usr2", 12}, {"vtalrm", 26}, {"winch", 28}, {"xcpu", 24}, {"xfsz", 25},
}};
constexpr int kRealTimeMin = 34;
constexpr int kRealTimeMax = 64;

/// A number of digits between two others.
std::optional<int> parse_within(std::string_view digits, int from, int to) {
  const auto number = base::parse_number(digits);
  if (!number || *number > kRealTimeMax) return std::nullopt;
  const int signal = static_cast<int>(*number);
  return signal >= from && signal <= to ? std::optional(signal) : std::nullopt;
}

/// "rtmin", "rtmin+3", "rtmax-1".
std::optional<int> parse_real_time(std::string_view name) {
  const bool counts_up = name.starts_with("rtmin");
  if (!counts_up && !name.starts_with("rtmax")) return std::nullopt;
  name.remove_prefix(5);
  if (name.empty()) return counts_up ? kRealTimeMin : kRealTimeMax;
  if (name.front() != (counts_up ? '+' : '-')) return std::nullopt;
  const std::optional<int> offset = parse_within(name.substr(1), 0, kRealTimeMax - kRealTimeMin);
  if (!offset) return std::nullopt;
  return counts_up ? kRealTimeMin + *offset : kRealTimeMax - *offset;
}

}  // namespace

std::optional<int> parse_stop_signal(std::string_view text) {
  if (const auto number = parse_within(text, 1, kRealTimeMax)) return number;
  const std::string lower = base::lower_case(text);
  std::string_view name = lower;
  if (name.starts_with("sig")) name.remove_prefix(3);
  for (const auto& [known, number] : kSignals) {
    if (name == known) return number;
  }
  return parse_real_time(name);
}

}  // namespace launcher
