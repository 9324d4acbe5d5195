#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "launcher/spec/attestation.h"
#include "launcher/spec/attestation_service.h"
#include "launcher/spec/attributes.h"
#include "launcher/spec/machine_offer.h"
#include "launcher/spec/monitoring.h"
#include "launcher/spec/mounts.h"
#include "launcher/spec/output.h"
#include "launcher/spec/registry_auth.h"
#include "oci/reference.h"

namespace launcher {

/// What happens to the machine when the workload has ended.
enum class RestartPolicy { kNever, kOnFailure, kAlways };

std::string_view name_of(RestartPolicy policy);

/// What the operator of the machine wants to be run.
struct LaunchSpec {
  oci::ImageReference image;
  RestartPolicy restart_policy = RestartPolicy::kNever;
  std::optional<std::vector<std::string>> cmd = {};  ///< absent: the image's own; never empty
  std::map<std::string, std::string> env = {};       ///< by name, which is also the order in which it is measured
  LogRedirect log_redirect = LogRedirect::kNowhere;
  Monitoring monitoring = Monitoring::kNone;
  std::vector<TmpfsMount> tmpfs_mounts = {};
  std::optional<std::uint64_t> dev_shm_kb = {};
  std::vector<std::string> added_capabilities = {};
  bool cgroup_namespace = false;
  AttestationSpec attestation = {};
  AttestationService service = {};  ///< the one of the machine's that this launch attests to
  oci::DockerConfig registry_auth = {};

  /// Throws Error with all that is wrong, or more than the machine can give. Attributes that it does not know are
  /// ignored.
  static LaunchSpec parse(const Attributes& attributes, const MachineOffer& machine);

  /// For the log: no value of a variable is in it.
  base::Json loggable() const;
};

}  // namespace launcher
