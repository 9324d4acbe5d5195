#include "csctl/input/time.h"

#include <optional>

#include "base/error.h"

namespace csctl {

base::WallTime time_asked_for(const std::string& text, const char* option) {
  if (text.empty()) return base::Clock::system().wall();
  const std::optional<base::WallTime> time = base::parse_rfc3339(text);
  if (!time) throw base::InvalidInput(option, "is no time like 2026-01-31T23:59:59Z");
  return *time;
}

}  // namespace csctl
