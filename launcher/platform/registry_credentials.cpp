#include "launcher/platform/registry_credentials.h"

#include <utility>

#include "launcher/platform/access_token.h"

namespace launcher {

base::Awaitable<void> RegistryCredentials::prepare_for(std::string host, Platform& platform) {
  if (!is_google_registry(host) || stated_for(host)) co_return;
  const std::optional<std::string> token = co_await platform.access_token();
  if (token) access_token_ = oci::Credential{"_token", *token};
}

std::optional<oci::Credential> RegistryCredentials::of(const std::string& host) const {
  std::optional<oci::Credential> stated = stated_for(host);
  return stated || !is_google_registry(host) ? stated : access_token_;
}

std::optional<oci::Credential> RegistryCredentials::stated_for(const std::string& host) const {
  std::optional<oci::Credential> credential = of_operator_.credential_for(host);
  return credential ? credential : of_machine_.credential_for(host);
}

}  // namespace launcher
