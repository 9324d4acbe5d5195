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
  RegistryCredentials(oci::DockerConfig of_operator, oci::DockerConfig of_machine)
      : of_operator_(std::move(of_operator)), of_machine_(std::move(of_machine)) {}

  /// Gets the access token if a pull from `host` will want it.
  base::Awaitable<void> prepare_for(std::string host, Platform& platform);

  std::optional<oci::Credential> of(const std::string& host) const;

 private:
  std::optional<oci::Credential> stated_for(const std::string& host) const;

  oci::DockerConfig of_operator_;
  oci::DockerConfig of_machine_;
  std::optional<oci::Credential> access_token_;
};

}  // namespace launcher
