#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/spec/attributes.h"

namespace launcher {

/// Of tee-impersonate-service-accounts: each costs a request of its own for every token, and beside the machine's own
/// account a request to verify has room for as many.
inline constexpr std::size_t kMaxImpersonated = 15;
/// Of tee-signed-image-repos.
inline constexpr std::size_t kMaxSignatureRepositories = 16;

/// An attestation service of Google's own, as gca-service-env names it.
enum class PublicService { kProd, kStaging, kAutopush };

/// https://host of such a service.
std::string_view url_of(PublicService service);

/// What the operator wants of attestation.
struct AttestationSpec {
  std::string service = {};                          ///< tee-attestation-service: a name; empty: the machine's first
  std::optional<PublicService> public_service = {};  ///< gca-service-env
  std::vector<std::string> impersonated = {};        ///< tee-impersonate-service-accounts
  std::vector<std::string> signature_repositories = {};  ///< tee-signed-image-repos
  bool default_token = true;                             ///< not tee-disable-gca-refresh
};

AttestationSpec read_attestation(AttributeReader& reader);

}  // namespace launcher
