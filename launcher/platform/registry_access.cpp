#include "launcher/platform/registry_access.h"

#include "launcher/platform/access_token.h"

namespace launcher {

const std::optional<std::filesystem::path>& RegistryAccess::roots_for(std::string_view host) const {
  return is_google_registry(std::string(host)) && google_ca ? google_ca : registry_ca;
}

}  // namespace launcher
