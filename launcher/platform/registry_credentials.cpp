#include "launcher/platform/registry_credentials.h"

#include <utility>

#include "launcher/platform/access_token.h"

namespace launcher {

base::Awaitable<std::optional<oci::Credential>> RegistryCredentials::of(std::string host) {
  if (std::optional<oci::Credential> stated = of_operator_.credential_for(host)) co_return stated;
  if (std::optional<oci::Credential> stated = of_machine_.credential_for(host)) co_return stated;
  if (!is_google_registry(host)) co_return std::nullopt;
  std::optional<std::string> token = co_await platform_.access_token();
  if (!token) co_return std::nullopt;
  oci::Credential credential{"_token", std::move(*token)};
  co_return credential;
}

}  // namespace launcher
