#include "oci/platform.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"

namespace oci {
namespace {

/// Levels of amd64 lie between.
constexpr int kLeastFitness = 1;
constexpr int kBestFitness = 100;
constexpr int kMaxLevel = 4;

std::string_view architecture_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kAliases = {
      {{"x86_64", "amd64"}, {"x86-64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"}}};
  const auto found = std::ranges::find(kAliases, name, &std::pair<std::string_view, std::string_view>::first);
  return found == kAliases.end() ? name : found->second;
}

/// 1 to 4 for v1 to v4 of amd64; 0 for anything else.
int level_of(const Platform& platform) {
  const std::string& variant = platform.variant;
  if (platform.architecture != "amd64" || variant.size() != 2 || variant[0] != 'v') return 0;
  const int level = variant[1] - '0';
  return level >= 1 && level <= kMaxLevel ? level : 0;
}

}  // namespace

Platform Platform::normalized() const {
  Platform result{os.empty() ? "linux" : base::lower_case(os), {}, base::lower_case(variant)};
  result.architecture = architecture_of(base::lower_case(architecture));
  if (result.architecture == "amd64" && result.variant.empty()) result.variant = "v1";
  if (result.architecture == "arm64" && (result.variant.empty() || result.variant == "8")) result.variant = "v8";
  return result;
}

bool is_same_kind(const Platform& wanted, const Platform& machine) {
  return wanted.os == machine.os && wanted.architecture == machine.architecture;
}

bool needs_more(const Platform& wanted, const Platform& machine) { return level_of(wanted) > level_of(machine); }

int fitness(const Platform& wanted, const Platform& machine) {
  const bool is_half = wanted.architecture == "386" && machine.architecture == "amd64";
  if (is_half && wanted.os == machine.os) return kLeastFitness;
  if (!is_same_kind(wanted, machine)) return 0;
  if (machine.architecture != "amd64") return wanted.variant == machine.variant ? kBestFitness : 0;
  const int level = level_of(wanted);
  if (level == 1) return kBestFitness;
  return level <= level_of(machine) ? level : 0;
}

}  // namespace oci
