#include "launcher/policy/launch_policy.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "launcher/spec/parse_bool.h"

namespace launcher {
namespace {

using base::Error;

constexpr const char* kAllowCmdOverride = "tee.launch_policy.allow_cmd_override";
constexpr const char* kAllowEnvOverride = "tee.launch_policy.allow_env_override";

bool bool_label(const std::map<std::string, std::string>& labels, const char* label) {
  const auto found = labels.find(label);
  if (found == labels.end()) return false;
  const auto value = parse_bool(found->second);
  if (!value) {
    throw Error("failed to parse image Launch Policy: invalid image LABEL '" + std::string(label) +
                "' (not a boolean): contact the image author");
  }
  return *value;
}

/// Comma-separated names; empty ones are dropped, nothing is trimmed.
std::set<std::string> name_list(const std::map<std::string, std::string>& labels, const char* label) {
  std::set<std::string> names;
  const auto found = labels.find(label);
  if (found == labels.end()) return names;
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) names.emplace(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

}  // namespace

LaunchPolicy LaunchPolicy::parse(const std::map<std::string, std::string>& labels) {
  return {.allow_cmd_override = bool_label(labels, kAllowCmdOverride),
          .allowed_env = name_list(labels, kAllowEnvOverride)};
}

void LaunchPolicy::verify(const LaunchSpec& spec) const {
  for (const auto& [name, value] : spec.env) {
    if (allowed_env.contains(name)) continue;
    // The value is the operator's secret: it stands in no error.
    throw Error("env var {" + name + (value.empty() ? " " : " [REDACTED]") +
                "} is not allowed to be overridden on this image; allowed envs to be overridden: [" +
                joined(allowed_env) + "]");
  }
  if (spec.cmd && !allow_cmd_override) throw Error("CMD is not allowed to be overridden on this image");
}

}  // namespace launcher
