#include "launcher/measurement.h"

#include "launcher/oci/runtime_spec.h"

namespace launcher {

std::vector<measure::Event> launch_events(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec) {
  using measure::Event;
  using measure::EventType;
  std::vector<Event> events;
  events.push_back(Event::text(EventType::kImageRef, image.name));
  events.push_back(Event::text(EventType::kImageDigest, image.target.digest.string()));
  events.push_back(Event::text(EventType::kRestartPolicy, name_of(spec.restart_policy)));
  events.push_back(Event::text(EventType::kImageId, image.config_digest.string()));
  for (const std::string& arg : args_of(runtime_spec)) events.push_back(Event::text(EventType::kArg, arg));
  for (const std::string& variable : env_of(runtime_spec)) {
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
  return events;
}

}  // namespace launcher
