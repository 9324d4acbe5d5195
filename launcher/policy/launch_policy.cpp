#include "launcher/policy/launch_policy.h"

#include "base/error.h"
#include "launcher/policy/exposed_ports.h"

namespace launcher {

namespace {

constexpr std::string_view kPrefix = "tee.";

LaunchPolicy read_labels(LabelReader& reader) {
  return {.overrides = OverridePolicy::read(reader),
          .output = OutputPolicy::read(reader),
          .monitoring = MonitoringPolicy::read(reader),
          .mounts = MountPolicy::read(reader),
          .privileges = PrivilegePolicy::read(reader)};
}

}  // namespace

LaunchPolicy LaunchPolicy::parse(const ImageLabels& labels, const std::vector<std::string>& exposed_ports) {
  LabelReader reader(labels);
  LaunchPolicy policy = read_labels(reader);
  policy.ports = read_exposed_ports(exposed_ports, reader.problems());
  try {
    reader.problems().throw_if_any();
  } catch (const base::Error& error) {
    throw error.in_context("failed to parse image Launch Policy");
  }
  return policy;
}

std::vector<std::string> LaunchPolicy::unknown_labels(const ImageLabels& labels) {
  LabelReader reader(labels);
  read_labels(reader);
  return reader.unread(kPrefix);
}

base::Json LaunchPolicy::loggable() const {
  return {{"AllowedCmdOverride", overrides.allow_cmd},
          {"AllowedEnvOverride", overrides.allowed_env},
          {"AllowedLogRedirect", name_of(output.log_redirect)},
          {"HardenedImageMonitoring", name_of(monitoring.on_hardened)},
          {"DebugImageMonitoring", name_of(monitoring.on_debug)},
          {"AllowedMountDestinations", mounts.allowed},
          {"AllowCapabilities", privileges.allow_capabilities},
          {"AllowCgroups", privileges.allow_cgroups}};
}

void LaunchPolicy::verify(const LaunchSpec& spec, bool hardened) const {
  Problems problems;
  overrides.verify(spec, problems);
  output.verify(spec, hardened, problems);
  monitoring.verify(spec, hardened, problems);
  mounts.verify(spec, problems);
  privileges.verify(spec, problems);
  problems.throw_if_any();
}

}  // namespace launcher
