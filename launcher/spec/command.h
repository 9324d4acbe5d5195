#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/attributes.h"

namespace launcher {

/// Of every variable that sets one of the workload's environment.
inline constexpr std::string_view kEnvPrefix = "tee-env-";

/// tee-cmd: the arguments behind the image's ENTRYPOINT. Absent: the image's own; never empty.
std::optional<std::vector<std::string>> read_cmd(AttributeReader& reader);

/// tee-env-NAME, by name, which is also the order in which they are measured.
std::map<std::string, std::string> read_env(AttributeReader& reader);

}  // namespace launcher
