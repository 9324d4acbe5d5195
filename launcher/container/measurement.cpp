#include "launcher/container/measurement.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "base/exec_limits.h"
#include "launcher/container/runtime_spec.h"

namespace launcher {

std::vector<measure::Event> launch_events(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec) {
  using measure::Event;
  using measure::EventType;
  std::vector<Event> events;
  events.push_back(Event::text(EventType::kImageRef, image.name));
  events.push_back(Event::text(EventType::kImageDigest, image.target.digest.string()));
  events.push_back(Event::text(EventType::kRestartPolicy, name_of(spec.restart_policy)));
  events.push_back(Event::text(EventType::kImageId, image.config_digest.string()));
  const std::vector<std::string> args = args_of(runtime_spec);
  const std::vector<std::string> env = env_of(runtime_spec);
  base::check_process_bytes(args, env);
  for (const std::string& arg : args) events.push_back(Event::text(EventType::kArg, arg));
  for (const std::string& variable : env) {
    measure::EnvVar::parse(variable, "env");  // what the verifier could not read must not be measured
    events.push_back(Event::text(EventType::kEnvVar, variable));
  }
  for (const auto& [name, value] : spec.env) {
    events.push_back(Event::text(EventType::kOverrideEnv, name + "=" + value));
  }
  if (spec.cmd) {
    for (const std::string& arg : *spec.cmd) events.push_back(Event::text(EventType::kOverrideArg, arg));
  }
  events.push_back({EventType::kMemoryMonitor, {0}});
  if (events.size() > kMaxLaunchEvents) {
    throw base::InvalidInput("container arguments and environment",
                             "the launch has " + std::to_string(events.size()) + " events, more than the " +
                                 std::to_string(kMaxLaunchEvents) + " that are measured");
  }
  return events;
}

std::size_t claims_bytes(const LaunchSpec& spec, const base::Json& runtime_spec) {
  base::Json claims = {{"args", args_of(runtime_spec)}, {"env", base::Json::object()}, {"env_override", spec.env}};
  for (const std::string& text : env_of(runtime_spec)) {
    measure::EnvVar variable = measure::EnvVar::parse(text, "env");
    claims["env"][variable.name] = std::move(variable.value);
  }
  if (spec.cmd) claims["cmd_override"] = *spec.cmd;
  return claims.dump().size();
}

}  // namespace launcher
