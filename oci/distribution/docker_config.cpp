#include "oci/distribution/docker_config.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "oci/reference.h"

namespace oci {
namespace {

using base::InvalidInput;

constexpr base::JsonLimits kLimits{
    .max_bytes = kMaxDockerConfigBytes, .max_depth = 8, .max_values = kMaxDockerConfigHosts * 8};

/// "https://index.docker.io/v1/" and the like: Docker writes hosts as the URLs of an API that is gone.
std::string host_of(std::string_view key, const std::string& field) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      break;
    }
  }
  const std::size_t slash = std::min(key.find('/'), key.size());
  const std::string_view path = key.substr(slash);
  constexpr std::array<std::string_view, 6> kApiPaths = {"", "/", "/v1", "/v1/", "/v2", "/v2/"};
  if (std::ranges::find(kApiPaths, path) == kApiPaths.end())
    throw InvalidInput(field, "is more than a registry's host; a credential is for all of its repositories");
  const std::string host = base::lower_case(key.substr(0, slash));
  // Otherwise it would be read as a folder of Docker Hub, which would be given the credential.
  if (host != "localhost" && host.find_first_of(".:") == std::string::npos)
    throw InvalidInput(field, "is not the host of a registry");
  return ImageReference::parse(host + "/x", field).registry_host();
}

Credential credential_of(const base::JsonObject& entry) {
  if (!entry.string_or("identitytoken", "").empty() || !entry.string_or("registrytoken", "").empty())
    throw InvalidInput(entry.path(), "identity and registry tokens are not supported");
  const std::string both = entry.string_or("auth", "");
  if (both.empty()) {
    Credential credential{entry.string_or("username", ""), entry.string_or("password", "")};
    if (credential.username.empty() || credential.password.empty())
      throw InvalidInput(entry.path(), "has no auth; credentials that a helper keeps are not in this file");
    return credential;
  }
  const base::Bytes bytes = base::base64_decode(both, entry.path() + ".auth");
  const std::string_view pair = base::text_of(bytes);
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos || colon == 0 || pair.find('\0') != std::string_view::npos)
    throw InvalidInput(entry.path() + ".auth", "is not USER:PASSWORD in Base64");
  return {std::string(pair.substr(0, colon)), std::string(pair.substr(colon + 1))};
}

}  // namespace

DockerConfig DockerConfig::parse(std::string_view json, std::string_view subject) {
  const base::Json document = base::parse_json(json, subject, kLimits);
  const base::JsonObject object(document, std::string(subject));
  if (object.has("credHelpers"))
    throw InvalidInput(object.path() + ".credHelpers", "no program is run; credentials stand in auths");
  DockerConfig config;
  const auto auths = object.optional_object("auths");
  if (!auths) throw InvalidInput(object.path(), "has no auths");
  for (const auto& [key, value] : auths->raw().items()) {
    // Not shown: what stands before it is a name, and may be a password.
    if (key.find('@') != std::string::npos) throw InvalidInput(auths->path(), "names a host with a user before it");
    const std::string field = auths->path() + "." + std::string(base::shown_key(key));
    if (config.by_host_.size() == kMaxDockerConfigHosts)
      throw InvalidInput(auths->path(), "has more than " + std::to_string(kMaxDockerConfigHosts) + " hosts");
    const Credential credential = credential_of(base::JsonObject(value, field));
    if (!config.by_host_.emplace(host_of(key, field), credential).second)
      throw InvalidInput(field, "names a host that stands there already");
  }
  return config;
}

std::optional<Credential> DockerConfig::credential_for(const std::string& registry_host) const {
  const auto found = by_host_.find(registry_host);
  if (found == by_host_.end()) return std::nullopt;
  return found->second;
}

}  // namespace oci
