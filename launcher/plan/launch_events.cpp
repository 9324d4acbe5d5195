#include "launcher/plan/launch_events.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "base/exec_limits.h"
#include "base/json.h"
#include "evidence/jose.h"
#include "evidence/messages.h"
#include "launcher/plan/runtime_spec.h"

namespace launcher {

MeasuredLaunch MeasuredLaunch::of(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec) {
  return {.image_reference = image.name,
          .image_digest = image.target.digest,
          .image_id = image.config_digest,
          .restart_policy = spec.restart_policy,
          .args = args_of(runtime_spec),
          .env = env_of(runtime_spec),
          .env_override = spec.env,
          .cmd_override = spec.cmd,
          .memory_is_monitored = spec.monitoring != Monitoring::kNone};
}

std::vector<measure::Event> launch_events(const MeasuredLaunch& launch) {
  using measure::Event;
  using measure::EventType;
  std::vector<Event> events;
  events.push_back(Event::text(EventType::kImageRef, launch.image_reference));
  events.push_back(Event::text(EventType::kImageDigest, launch.image_digest.string()));
  events.push_back(Event::text(EventType::kRestartPolicy, name_of(launch.restart_policy)));
  events.push_back(Event::text(EventType::kImageId, launch.image_id.string()));
  base::check_process_bytes(launch.args, launch.env);
  for (const std::string& arg : launch.args) events.push_back(Event::text(EventType::kArg, arg));
  for (const std::string& variable : launch.env) {
    measure::EnvVar::parse(variable, "env");  // what the verifier could not read must not be measured
    events.push_back(Event::text(EventType::kEnvVar, variable));
  }
  for (const auto& [name, value] : launch.env_override) {
    events.push_back(Event::text(EventType::kOverrideEnv, name + "=" + value));
  }
  if (launch.cmd_override) {
    for (const std::string& arg : *launch.cmd_override) events.push_back(Event::text(EventType::kOverrideArg, arg));
  }
  events.push_back({EventType::kMemoryMonitor, {launch.memory_is_monitored ? std::uint8_t{1} : std::uint8_t{0}}});
  if (events.size() > kMaxLaunchEvents) {
    throw base::InvalidInput("container arguments and environment",
                             "the launch has " + std::to_string(events.size()) + " events, more than the " +
                                 std::to_string(kMaxLaunchEvents) + " that are measured");
  }
  return events;
}

std::size_t claims_bytes(const MeasuredLaunch& launch) {
  base::Json claims = {{"args", launch.args}, {"env", base::Json::object()}, {"env_override", launch.env_override}};
  for (const std::string& text : launch.env) {
    measure::EnvVar variable = measure::EnvVar::parse(text, "env");
    claims["env"][variable.name] = std::move(variable.value);
  }
  if (launch.cmd_override) claims["cmd_override"] = *launch.cmd_override;
  return claims.dump().size();
}

void expect_attestable(const MeasuredLaunch& launch, std::size_t request_bytes, evidence::Signatures signatures) {
  constexpr auto kField = "container arguments and environment";
  if (request_bytes > evidence::kMaxVerifyRequestBytes) {
    throw base::InvalidInput(kField, "the request for a token may have " + std::to_string(request_bytes) +
                                         " bytes, more than the " + std::to_string(evidence::kMaxVerifyRequestBytes) +
                                         " that a verifier takes");
  }
  const std::size_t token = evidence::max_token_bytes(claims_bytes(launch), signatures);
  if (token > evidence::kMaxJwtBytes) {
    throw base::InvalidInput(kField, "a token that tells them may have " + std::to_string(token) +
                                         " bytes, more than the " + std::to_string(evidence::kMaxJwtBytes) +
                                         " that are taken of one");
  }
}

}  // namespace launcher
