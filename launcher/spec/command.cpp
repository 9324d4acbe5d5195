#include "launcher/spec/command.h"

#include <utility>

#include "base/error.h"
#include "base/exec_limits.h"
#include "base/json.h"
#include "measure/event.h"

namespace launcher {
namespace {

constexpr std::string_view kCmd = "tee-cmd";

std::vector<std::string> parse_cmd(const std::string& text) {
  std::vector<std::string> cmd = parse_array_attribute(kCmd, text);
  if (cmd.empty() && text != "null") {
    // It would take the image's Cmd away and leave no OverrideArg behind that a relying party could see.
    throw base::InvalidInput(kCmd, "an empty array is not accepted; leave the attribute out to keep the image's Cmd");
  }
  for (std::size_t i = 0; i < cmd.size(); ++i) {
    base::check_string_bytes(cmd[i].size(), std::string(kCmd) + "[" + std::to_string(i) + "]");
  }
  return cmd;
}

measure::EnvVar parse_variable(std::string_view key, const std::string& value, const std::string& field) {
  const std::string_view name = key.substr(kEnvPrefix.size());
  base::check_string_bytes(name.size() + 1 + value.size(), field);
  return measure::EnvVar::parse(std::string(name) + "=" + value, field);
}

}  // namespace

std::optional<std::vector<std::string>> read_cmd(AttributeReader& reader) {
  auto cmd = reader.read(kCmd, parse_cmd);
  if (cmd && cmd->empty()) cmd.reset();
  return cmd;
}

std::map<std::string, std::string> read_env(AttributeReader& reader) {
  std::map<std::string, std::string> env;
  const Attributes& all = reader.all();
  for (auto place = all.lower_bound(kEnvPrefix); place != all.end() && place->first.starts_with(kEnvPrefix); ++place) {
    const std::string field = shown(place->first);
    reader.problems().collect(field, [&] {
      measure::EnvVar variable = parse_variable(place->first, place->second, field);
      env.emplace(std::move(variable.name), std::move(variable.value));
    });
  }
  return env;
}

}  // namespace launcher
