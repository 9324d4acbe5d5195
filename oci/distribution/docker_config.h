#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "oci/distribution/credential.h"

namespace oci {

inline constexpr std::size_t kMaxDockerConfigBytes = std::size_t{64} << 10U;
inline constexpr std::size_t kMaxDockerConfigHosts = 64;

/// The credentials in a config.json of Docker (docker/cli, cli/config/types/authconfig.go): "auths" with user and
/// password, in Base64 together or apart. Helpers, which are programs, and identity tokens are refused.
class DockerConfig {
 public:
  DockerConfig() = default;
  /// Throws InvalidInput(`subject`), without a word of what is secret.
  static DockerConfig parse(std::string_view json, std::string_view subject);

  /// Of a registry's host as ImageReference::registry_host() says it.
  std::optional<Credential> credential_for(const std::string& registry_host) const;
  bool empty() const noexcept { return by_host_.empty(); }

 private:
  std::map<std::string, Credential> by_host_;
};

}  // namespace oci
