#include "launcher/policy/monitoring_policy.h"

#include "launcher/policy/gate.h"
#include "launcher/spec/attributes.h"

namespace launcher {
namespace {

constexpr const char* kMemoryAllow = "tee.launch_policy.monitoring_memory_allow";
constexpr const char* kHardened = "tee.launch_policy.hardened_monitoring";
constexpr const char* kDebug = "tee.launch_policy.debug_monitoring";

Monitoring read_one(LabelReader& reader, const char* label, const std::string& kind, Monitoring otherwise) {
  const auto given = reader.text(label);
  if (!given) return otherwise;
  const auto monitoring = monitoring_of(*given);
  if (!monitoring) {
    reader.problems().add("invalid monitoring type for " + kind + " image: invalid monitoring type " + shown(*given) +
                          " (" + label + "): contact the image author");
  }
  return monitoring.value_or(Monitoring::kNone);
}

}  // namespace

MonitoringPolicy MonitoringPolicy::read(LabelReader& reader) {
  const bool has_hardened = reader.text(kHardened).has_value();
  const bool has_debug = reader.text(kDebug).has_value();
  if (reader.text(kMemoryAllow) && (has_hardened || has_debug)) {
    reader.problems().add(std::string("use either ") + kMemoryAllow + " or " + kHardened + "/" + kDebug +
                          " in image labels,- not both: contact the image author");
    return {.on_hardened = Monitoring::kNone, .on_debug = Monitoring::kNone};
  }
  if (reader.text(kMemoryAllow)) {
    const Gate gate = read_gate(reader, kMemoryAllow);
    return {.on_hardened = gate == Gate::kAlways ? Monitoring::kMemoryOnly : Monitoring::kNone,
            .on_debug = gate == Gate::kNever ? Monitoring::kNone : Monitoring::kMemoryOnly};
  }
  const MonitoringPolicy otherwise;
  return {.on_hardened = read_one(reader, kHardened, "hardened", otherwise.on_hardened),
          .on_debug = read_one(reader, kDebug, "debug", otherwise.on_debug)};
}

void MonitoringPolicy::verify(const LaunchSpec& spec, bool hardened, Problems& problems) const {
  const Monitoring most = hardened ? on_hardened : on_debug;
  if (spec.monitoring <= most) return;
  const std::string error = "error verifying monitoring config: ";
  const std::string labels = std::string(" (") + kMemoryAllow + ", " + (hardened ? kHardened : kDebug) + ")";
  if (most == Monitoring::kNone) {
    problems.add(error + "spec configured for " + std::string(name_of(spec.monitoring)) + " but policy is none" +
                 labels);
  } else {
    problems.add(error + "spec configured for all monitoring, policy only allows memory" + labels);
  }
}

}  // namespace launcher
