#pragma once

#include <optional>
#include <string_view>

#include "launcher/spec/attributes.h"

namespace launcher {

/// How much of the machine is watched, from less to more.
enum class Monitoring { kNone, kMemoryOnly, kAll };

std::string_view name_of(Monitoring monitoring);

/// "none", "memoryOnly" or "all", in any letters' case; nothing for another text.
std::optional<Monitoring> monitoring_of(std::string_view text);

/// tee-monitoring-enable, or the older tee-monitoring-memory-enable.
Monitoring read_monitoring(AttributeReader& reader);

}  // namespace launcher
