#include "launcher/host/machine_offer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"

namespace launcher {
namespace {

constexpr std::size_t kMaxProcBytes = std::size_t{64} << 10U;

/// What stands behind "NAME:" and blanks in a line of `text`.
std::string_view value_of(std::string_view text, std::string_view name, std::string_view file) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  throw base::InvalidInput(file, "has no line " + std::string(name));
}

}  // namespace

std::uint64_t available_memory_kb(std::string_view meminfo) {
  constexpr std::string_view kUnit = " kB";
  std::string_view value = value_of(meminfo, "MemAvailable", "/proc/meminfo");
  const bool has_unit = value.ends_with(kUnit);
  if (has_unit) value.remove_suffix(kUnit.size());
  const auto kb = base::parse_number(value);
  if (!kb || !has_unit) throw base::InvalidInput("/proc/meminfo", "MemAvailable is no number of kB");
  return *kb;
}

CapabilitySet bounding_set(std::string_view status) {
  const auto set = parse_capability_set(value_of(status, "CapBnd", "/proc/self/status"));
  if (!set) throw base::InvalidInput("/proc/self/status", "CapBnd is no set of capabilities");
  return *set;
}

MachineOffer read_machine_offer(std::optional<CapabilitySet> capabilities, std::vector<AttestationService> services) {
  const base::Bytes meminfo = base::read_file("/proc/meminfo", kMaxProcBytes);
  if (!capabilities) {
    const base::Bytes status = base::read_file("/proc/self/status", kMaxProcBytes);
    capabilities = bounding_set(base::text_of(status));
  }
  return {.available_kb = available_memory_kb(base::text_of(meminfo)),
          .capabilities = *capabilities,
          .services = std::move(services)};
}

}  // namespace launcher
