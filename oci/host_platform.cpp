#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "oci/platform.h"

namespace oci {
namespace {

// What each level has beyond the one below it (x86-64 psABI, table "Micro-Architecture Levels"), in the kernel's words
// (proc_cpuinfo(5)), who leaves out what programs may not use.
constexpr std::array<std::string_view, 7> kV2 = {"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"};
constexpr std::array<std::string_view, 8> kV3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"};
constexpr std::array<std::string_view, 5> kV4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

}  // namespace

std::string amd64_variant(const std::string& cpu_flags) {
  std::istringstream words(cpu_flags);
  std::vector<std::string> flags;
  for (std::string word; words >> word;) flags.push_back(word);
  const auto has_all = [&](const auto& wanted) {
    return std::ranges::all_of(wanted,
                               [&](std::string_view flag) { return std::ranges::find(flags, flag) != flags.end(); });
  };
  if (!has_all(kV2)) return "v1";
  if (!has_all(kV3)) return "v2";
  return has_all(kV4) ? "v4" : "v3";
}

#if defined(__x86_64__)

Platform Platform::host() {
  constexpr std::string_view kKey = "flags";
  std::ifstream lines("/proc/cpuinfo");
  std::string line;
  while (std::getline(lines, line) && !line.starts_with(kKey)) {
  }
  return {"linux", "amd64", amd64_variant(line)};
}

#elif defined(__aarch64__)

Platform Platform::host() { return {"linux", "arm64", "v8"}; }

#else
#error "the name that OCI gives this architecture is not known"
#endif

}  // namespace oci
