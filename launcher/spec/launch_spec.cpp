#include "launcher/spec/launch_spec.h"

#include "base/ascii.h"
#include "base/error.h"
#include "base/exec_limits.h"
#include "launcher/spec/parse_bool.h"
#include "measure/event.h"

namespace launcher {
namespace {

using base::Error;
using base::InvalidInput;

constexpr std::string_view kEnvPrefix = "tee-env-";
constexpr base::JsonLimits kCmdLimits{
    .max_bytes = kMaxAttributesBytes, .max_depth = 4, .max_values = kMaxAttributes + 1};
constexpr std::string_view kRedacted = "[REDACTED]";

std::string text_of(const Attributes& attributes, std::string_view key) {
  const auto found = attributes.find(std::string(key));
  return found == attributes.end() ? std::string() : found->second;
}

/// An attribute of the contract that asks for what this launcher can't do: running without it would not be what the
/// operator wants, so the launch ends here.
void refuse_unless(bool asks_for_nothing, std::string_view key) {
  if (!asks_for_nothing) throw InvalidInput(key, "is not supported by this version of the launcher");
}

void refuse_unless_empty(const Attributes& attributes, std::string_view key) {
  refuse_unless(text_of(attributes, key).empty(), key);
}

void refuse_unless_false(const Attributes& attributes, std::string_view key) {
  const std::string text = text_of(attributes, key);
  refuse_unless(text.empty() || parse_bool(text) == false, key);
}

void refuse_unless_none(const Attributes& attributes, std::string_view key) {
  const std::string text = text_of(attributes, key);
  refuse_unless(text.empty() || base::equal_ignoring_case(text, "none"), key);
}

oci::ImageReference parse_image_reference(const Attributes& attributes) {
  const std::string reference = text_of(attributes, "tee-image-reference");
  if (reference.empty()) throw Error("tee-image-reference is not specified in the custom metadata");
  return oci::ImageReference::parse(reference, "tee-image-reference");
}

RestartPolicy parse_restart_policy(const Attributes& attributes) {
  const std::string text = text_of(attributes, "tee-restart-policy");
  if (text.empty()) return RestartPolicy::kNever;
  for (const RestartPolicy policy : {RestartPolicy::kNever, RestartPolicy::kOnFailure, RestartPolicy::kAlways}) {
    if (text == name_of(policy)) return policy;
  }
  throw Error("invalid restart policy: " + text);
}

std::optional<std::vector<std::string>> parse_cmd(const Attributes& attributes) {
  const std::string text = text_of(attributes, "tee-cmd");
  if (text.empty()) return std::nullopt;
  const base::Json array = base::parse_json(text, "tee-cmd", kCmdLimits);
  if (!array.is_array()) throw InvalidInput("tee-cmd", "expected an array of strings");
  if (array.empty()) {
    // It would take the image's Cmd away and leave no OverrideArg behind that a relying party could see.
    throw InvalidInput("tee-cmd", "an empty array is not accepted; leave the attribute out to keep the image's Cmd");
  }
  std::vector<std::string> cmd;
  for (const base::Json& item : array) {
    const std::string field = "tee-cmd[" + std::to_string(cmd.size()) + "]";
    if (!item.is_string()) throw InvalidInput(field, "expected a string");
    cmd.push_back(item.get<std::string>());
    if (cmd.back().find('\0') != std::string::npos) throw InvalidInput(field, "contains NUL");
    base::check_string_bytes(cmd.back().size(), field);
  }
  return cmd;
}

std::map<std::string, std::string> parse_env(const Attributes& attributes) {
  std::map<std::string, std::string> env;
  for (const auto& [key, value] : attributes) {
    if (!key.starts_with(kEnvPrefix)) continue;
    const std::string field(base::shown_key(key));
    base::check_string_bytes(key.size() - kEnvPrefix.size() + 1 + value.size(), field);
    measure::EnvVar variable = measure::EnvVar::parse(key.substr(kEnvPrefix.size()) + "=" + value, field);
    env.emplace(std::move(variable.name), std::move(variable.value));
  }
  return env;
}

}  // namespace

std::string_view name_of(RestartPolicy policy) {
  switch (policy) {
    case RestartPolicy::kNever: return "Never";
    case RestartPolicy::kOnFailure: return "OnFailure";
    case RestartPolicy::kAlways: return "Always";
  }
  throw Error("unknown restart policy");
}

Attributes parse_attributes(std::string_view json) {
  const base::Json document = base::parse_json(
      json, "metadata", {.max_bytes = kMaxAttributesBytes, .max_depth = 4, .max_values = kMaxAttributes + 1});
  const base::JsonObject object(document, "metadata");
  Attributes attributes;
  for (const auto& [key, value] : document.items()) {
    if (!value.is_string()) throw InvalidInput("metadata." + std::string(base::shown_key(key)), "expected a string");
    attributes.emplace(key, value.get<std::string>());
  }
  return attributes;
}

LaunchSpec LaunchSpec::parse(const Attributes& attributes) {
  refuse_unless_false(attributes, "test-fake-verifier");
  refuse_unless_false(attributes, "tee-install-gpu-driver");
  LaunchSpec spec{.image = parse_image_reference(attributes)};
  spec.restart_policy = parse_restart_policy(attributes);
  refuse_unless_empty(attributes, "tee-impersonate-service-accounts");
  refuse_unless_empty(attributes, "tee-signed-image-repos");
  refuse_unless_false(attributes, "tee-monitoring-memory-enable");
  refuse_unless_none(attributes, "tee-monitoring-enable");
  spec.cmd = parse_cmd(attributes);
  spec.env = parse_env(attributes);
  refuse_unless_false(attributes, "tee-container-log-redirect");
  refuse_unless_empty(attributes, "gca-service-env");
  refuse_unless_empty(attributes, "tee-dev-shm-size-kb");
  refuse_unless_empty(attributes, "tee-mount");
  refuse_unless_empty(attributes, "ita-region");
  refuse_unless_empty(attributes, "ita-api-key");
  refuse_unless_empty(attributes, "tee-added-capabilities");
  refuse_unless_false(attributes, "tee-cgroup-ns");
  refuse_unless_false(attributes, "tee-disable-gca-refresh");
  return spec;
}

base::Json LaunchSpec::loggable() const {
  base::Json variables = base::Json::object();
  for (const auto& [name, value] : env) variables[name] = value.empty() ? std::string() : std::string(kRedacted);
  base::Json json = {{"ImageRef", image.name()}, {"RestartPolicy", name_of(restart_policy)}, {"Envs", variables}};
  if (cmd) json["Cmd"] = *cmd;
  return json;
}

}  // namespace launcher
