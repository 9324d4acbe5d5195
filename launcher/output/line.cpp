#include "launcher/output/line.h"

#include "base/json.h"

namespace launcher {

std::string json_line(const Output& line) {
  const base::Json json = {{"severity", severity_of(line.stream)}, {"message", line.bytes}};
  return json.dump(-1, ' ', false, base::Json::error_handler_t::replace);
}

}  // namespace launcher
