#include "launcher/spec/monitoring.h"

#include "base/ascii.h"
#include "base/error.h"

namespace launcher {
namespace {

constexpr std::string_view kEnable = "tee-monitoring-enable";
constexpr std::string_view kMemoryEnable = "tee-monitoring-memory-enable";

Monitoring parse_monitoring(const std::string& text) {
  const auto monitoring = monitoring_of(text);
  if (!monitoring) throw base::Error("invalid monitoring type " + shown(text));
  return *monitoring;
}

}  // namespace

std::string_view name_of(Monitoring monitoring) {
  switch (monitoring) {
    case Monitoring::kNone: return "none";
    case Monitoring::kMemoryOnly: return "memoryOnly";
    case Monitoring::kAll: return "all";
  }
  throw base::Error("unknown monitoring");
}

std::optional<Monitoring> monitoring_of(std::string_view text) {
  for (const Monitoring monitoring : {Monitoring::kNone, Monitoring::kMemoryOnly, Monitoring::kAll}) {
    if (base::equal_ignoring_case(text, name_of(monitoring))) return monitoring;
  }
  return std::nullopt;
}

Monitoring read_monitoring(AttributeReader& reader) {
  if (reader.has(kEnable) && reader.has(kMemoryEnable)) {
    reader.problems().add(
        "both tee-monitoring-memory-enable and tee-monitoring-enable are specified, only one is permitted");
    return Monitoring::kNone;
  }
  if (reader.boolean(kMemoryEnable)) return Monitoring::kMemoryOnly;
  return reader.read(kEnable, parse_monitoring).value_or(Monitoring::kNone);
}

}  // namespace launcher
