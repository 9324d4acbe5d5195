#pragma once

#include <optional>
#include <string>

#include "base/asio.h"
#include "launcher/platform/platform.h"
#include "oci/distribution/credential.h"
#include "oci/distribution/docker_config.h"

namespace launcher {

/// What a registry is shown, so that nobody sees what is another's: the operator's own credential for that very host,
/// else the machine's, else, of Google's registries only, the access token of the machine's service account.
class RegistryCredentials {
 public:
  /// `platform` must outlive it.
  RegistryCredentials(oci::DockerConfig of_operator, oci::DockerConfig of_machine, Platform& platform)
      : of_operator_(std::move(of_operator)), of_machine_(std::move(of_machine)), platform_(platform) {}

  /// Throws what Platform::access_token() throws.
  base::Awaitable<std::optional<oci::Credential>> of(std::string host);

 private:
  oci::DockerConfig of_operator_;
  oci::DockerConfig of_machine_;
  Platform& platform_;
};

}  // namespace launcher
