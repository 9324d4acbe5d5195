#include "launcher/spec/launch_spec.h"

#include <utility>

#include "base/error.h"
#include "launcher/spec/command.h"
#include "launcher/spec/privileges.h"
#include "launcher/spec/unsupported.h"

namespace launcher {
namespace {

using base::Error;

constexpr std::string_view kImageReference = "tee-image-reference";
constexpr std::string_view kRedacted = "[REDACTED]";

std::optional<oci::ImageReference> read_image_reference(AttributeReader& reader) {
  if (reader.text(kImageReference).empty())
    reader.problems().add("tee-image-reference is not specified in the custom metadata");
  return reader.read(kImageReference,
                     [](const std::string& text) { return oci::ImageReference::parse(text, kImageReference); });
}

RestartPolicy read_restart_policy(AttributeReader& reader) {
  const auto parse = [](const std::string& text) {
    for (const RestartPolicy policy : {RestartPolicy::kNever, RestartPolicy::kOnFailure, RestartPolicy::kAlways}) {
      if (text == name_of(policy)) return policy;
    }
    throw Error("invalid restart policy: " + shown(text));
  };
  return reader.read("tee-restart-policy", parse).value_or(RestartPolicy::kNever);
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

LaunchSpec LaunchSpec::parse(const Attributes& attributes, const MachineOffer& machine) {
  AttributeReader reader(attributes);
  refuse_unsupported(reader);
  std::optional<oci::ImageReference> image = read_image_reference(reader);
  const RestartPolicy restart_policy = read_restart_policy(reader);
  AttestationSpec attestation = read_attestation(reader);
  AttestationService service = choose(machine.services, attestation, reader.problems());
  const Monitoring monitoring = read_monitoring(reader);
  auto cmd = read_cmd(reader);
  auto env = read_env(reader);
  const LogRedirect log_redirect = read_log_redirect(reader);
  const auto dev_shm_kb = read_dev_shm_kb(reader);
  auto tmpfs_mounts = read_tmpfs_mounts(reader);
  auto added_capabilities = read_added_capabilities(reader);
  const bool cgroup_namespace = read_cgroup_namespace(reader);
  oci::DockerConfig registry_auth = read_registry_auth(reader);
  check_memory(tmpfs_mounts, dev_shm_kb, machine.available_kb, reader.problems());
  expect_given(added_capabilities, machine.capabilities, reader.problems());
  reader.problems().throw_if_any();
  return {.image = std::move(*image),
          .restart_policy = restart_policy,
          .cmd = std::move(cmd),
          .env = std::move(env),
          .log_redirect = log_redirect,
          .monitoring = monitoring,
          .tmpfs_mounts = std::move(tmpfs_mounts),
          .dev_shm_kb = dev_shm_kb,
          .added_capabilities = std::move(added_capabilities),
          .cgroup_namespace = cgroup_namespace,
          .attestation = std::move(attestation),
          .service = std::move(service),
          .registry_auth = std::move(registry_auth)};
}

base::Json LaunchSpec::loggable() const {
  base::Json variables = base::Json::object();
  for (const auto& [name, value] : env) variables[name] = value.empty() ? std::string() : std::string(kRedacted);
  base::Json json = {{"ImageRef", image.name()},
                     {"RestartPolicy", name_of(restart_policy)},
                     {"Envs", variables},
                     {"LogRedirect", name_of(log_redirect)},
                     {"MonitoringType", name_of(monitoring)},
                     {"DisableGcaRefresh", !attestation.default_token},
                     {"CgroupNamespace", cgroup_namespace}};
  if (cmd) json["Cmd"] = *cmd;
  if (dev_shm_kb) json["DevShmSize"] = *dev_shm_kb;
  base::Json mounts = base::Json::array();
  for (const TmpfsMount& mount : tmpfs_mounts) {
    base::Json entry = {{"Destination", mount.destination}};
    if (mount.size_bytes) entry["Size"] = *mount.size_bytes;
    mounts.push_back(std::move(entry));
  }
  if (!mounts.empty()) json["Mounts"] = std::move(mounts);
  if (!added_capabilities.empty()) json["AddedCapabilities"] = added_capabilities;
  if (!service.name.empty()) json["AttestationService"] = service.name;
  if (!attestation.impersonated.empty()) json["ImpersonateServiceAccounts"] = attestation.impersonated;
  if (!attestation.signature_repositories.empty()) json["SignedImageRepos"] = attestation.signature_repositories;
  if (!registry_auth.empty()) json["RegistryAuth"] = std::string(kRedacted);
  return json;
}

}  // namespace launcher
