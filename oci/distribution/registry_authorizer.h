#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/asio.h"
#include "net/http.h"
#include "oci/distribution/credential.h"
#include "oci/distribution/registry_transport.h"
#include "oci/reference.h"

namespace oci {

/// Answers the challenges of registries, Basic or Bearer (distribution, docs/spec/auth/token.md), and remembers for
/// each repository what its registry took.
class RegistryAuthorizer {
 public:
  RegistryAuthorizer(RegistryTransport transport, CredentialSource credentials);

  /// The Authorization header for requests to this repository; empty before the first challenge.
  std::string authorization(const ImageReference& reference) const;
  /// The new one after a 401. Throws RegistryError, net::HttpError or base::InvalidInput.
  base::Awaitable<std::string> authorize(ImageReference reference, const net::HttpResponse& refusal);

 private:
  base::Awaitable<std::string> bearer_token(const ImageReference& reference,
                                            const std::map<std::string, std::string>& parameters,
                                            const std::optional<Credential>& credential) const;

  RegistryTransport transport_;
  CredentialSource credentials_;
  std::map<std::string, std::string> authorizations_;  ///< by registry host and repository
};

}  // namespace oci
