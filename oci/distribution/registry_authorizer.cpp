#include "oci/distribution/registry_authorizer.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/json.h"
#include "oci/distribution/location.h"
#include "oci/distribution/registry_error.h"
#include "oci/distribution/www_authenticate.h"

namespace oci {
namespace {

using net::HttpResponse;
using net::HttpUrl;

constexpr std::size_t kMaxTokenBytes = std::size_t{64} << 10U;
constexpr base::JsonLimits kTokenLimits{.max_bytes = kMaxTokenBytes, .max_depth = 8, .max_values = 1024};

/// The challenges of every field of that name. Where one is malformed, the others may still do.
std::vector<AuthChallenge> challenges_of(const HttpResponse& refusal) {
  std::vector<AuthChallenge> challenges;
  std::exception_ptr malformed;
  for (const std::string& value : values_of(refusal, "WWW-Authenticate")) {
    try {
      std::ranges::move(parse_www_authenticate(value), std::back_inserter(challenges));
    } catch (const base::InvalidInput&) {
      malformed = std::current_exception();
    }
  }
  if (challenges.empty() && malformed) std::rethrow_exception(malformed);
  return challenges;
}

std::string basic_authorization(const Credential& credential) {
  const std::string pair = credential.username + ":" + credential.password;
  return "Basic " + base::base64_encode(base::view_of(pair));
}

const AuthChallenge* find_challenge(const std::vector<AuthChallenge>& challenges, std::string_view scheme) {
  const auto found = std::ranges::find(challenges, scheme, &AuthChallenge::scheme);
  return found == challenges.end() ? nullptr : &*found;
}

std::string key_of(const ImageReference& reference) { return reference.registry_host() + "/" + reference.repository(); }

}  // namespace

RegistryAuthorizer::RegistryAuthorizer(RegistryTransport transport, CredentialSource credentials)
    : transport_(transport), credentials_(std::move(credentials)) {}

std::string RegistryAuthorizer::authorization(const ImageReference& reference) const {
  const auto found = authorizations_.find(key_of(reference));
  return found == authorizations_.end() ? std::string() : found->second;
}

base::Awaitable<std::string> RegistryAuthorizer::authorize(ImageReference reference, const HttpResponse& refusal) {
  const std::vector<AuthChallenge> challenges = challenges_of(refusal);
  const std::string host = reference.registry_host();
  std::optional<Credential> credential;
  if (credentials_) credential = co_await credentials_(host);
  std::string authorization;
  if (const AuthChallenge* bearer = find_challenge(challenges, "bearer")) {
    authorization = co_await bearer_token(reference, bearer->parameters, credential);
  } else if (find_challenge(challenges, "basic") == nullptr) {
    throw RegistryError(host + " asks for a kind of authentication that is not supported", refusal.status);
  } else if (!credential) {
    throw RegistryError(host + " asks for a credential, and there is none for it", refusal.status);
  } else {
    authorization = basic_authorization(*credential);
  }
  authorizations_[key_of(reference)] = authorization;
  co_return authorization;
}

base::Awaitable<std::string> RegistryAuthorizer::bearer_token(const ImageReference& reference,
                                                              const std::map<std::string, std::string>& parameters,
                                                              const std::optional<Credential>& credential) const {
  const std::string host = reference.registry_host();
  const auto realm = parameters.find("realm");
  if (realm == parameters.end())
    throw RegistryError(host + ": a Bearer challenge without a realm", net::status::kUnauthorized);
  RegistryRequest request{
      .url = repair_url(realm->second, "token realm"), .what = "token for " + host, .max_body_bytes = kMaxTokenBytes};
  const HttpUrl url = parse_allowed(request.url, "token realm");
  if (!url.tls && registry_origin(reference).starts_with("https://"))
    throw RegistryError("token realm is not protected by TLS", net::status::kUnauthorized);

  request.url += url.target.find('?') == std::string::npos ? "?" : "&";
  request.url += "scope=" + net::url_encode("repository:" + reference.repository() + ":pull");
  const auto service = parameters.find("service");
  if (service != parameters.end()) request.url += "&service=" + net::url_encode(service->second);
  std::string authorization;
  if (credential) authorization = basic_authorization(*credential);
  const RegistryAnswer answer = co_await transport_.get(std::move(request), std::move(authorization));
  const HttpResponse& response = answer.response;
  if (response.status != net::status::kOk) throw refusal_error(response, "token for " + host);

  const base::Json document = base::parse_json(response.body, "registry token", kTokenLimits);
  const base::JsonObject object(document, "registry token");
  const auto token = object.optional_string("token");
  const std::string text = token && !token->empty() ? *token : object.string("access_token");
  const bool legal = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (text.empty() || !legal) throw base::InvalidInput("registry token", "is no token");
  co_return "Bearer " + text;
}

}  // namespace oci
