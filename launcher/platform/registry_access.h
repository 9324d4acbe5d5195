#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "launcher/platform/registry_credentials.h"

namespace launcher {

/// How registries are reached: what they are shown, and whose word is taken for their names.
struct RegistryAccess {
  RegistryCredentials credentials;
  std::optional<std::filesystem::path> registry_ca;
  std::optional<std::filesystem::path> google_ca;

  /// The only trusted roots for this host; nothing: the system's.
  const std::optional<std::filesystem::path>& roots_for(std::string_view host) const;
};

}  // namespace launcher
