#include "verifier/service/api.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "base/log.h"
#include "evidence/messages.h"
#include "evidence/status.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/tokens/claims.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr const char* kBody = "request";
constexpr std::size_t kMaxRootsBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxJwksBytes = std::size_t{1} << 20U;
constexpr std::string_view kVerifyVerb = "verifyConfidentialSpace";
constexpr unsigned kMethodNotAllowed = 405;

HttpResponse json_response(unsigned status, const Json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", "no-store"}},
          // What a client sent may stand in a message.
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

HttpResponse error_response(evidence::StatusCode code, std::string_view message) {
  return json_response(evidence::http_status_of(code), evidence::error_json(code, message));
}

/// Only the method that the resource takes.
std::string_view method_of(Action action) {
  switch (action) {
    case Action::kHealth:
    case Action::kDiscovery:
    case Action::kKeys:
    case Action::kLocations:
    case Action::kLocation: return "GET";
    case Action::kCreateChallenge:
    case Action::kVerify: return "POST";
  }
  throw base::Error("unknown action");
}

std::size_t max_body_bytes_of(Action action) {
  switch (action) {
    case Action::kHealth:
    case Action::kDiscovery:
    case Action::kKeys:
    case Action::kLocations:
    case Action::kLocation: return 0;
    case Action::kCreateChallenge: return kMaxChallengeRequestBytes;
    case Action::kVerify: return kMaxRequestBytes;
  }
  throw base::Error("unknown action");
}

Action action_of(const ResourcePath& resource) {
  if (!resource.location) return Action::kLocations;
  if (resource.is_challenges) return Action::kCreateChallenge;
  if (!resource.challenge) return Action::kLocation;
  if (resource.verb == kVerifyVerb) return Action::kVerify;
  throw evidence::StatusError(evidence::StatusCode::kUnimplemented,
                              "of a challenge, this verifier serves :verifyConfidentialSpace only");
}

Route route_of(std::string_view path) {
  if (path == "/healthz") return {Action::kHealth, {}};
  if (path == "/.well-known/openid-configuration") return {Action::kDiscovery, {}};
  if (path == "/.well-known/jwks.json") return {Action::kKeys, {}};
  auto resource = parse_resource_path(path);
  if (!resource) throw evidence::StatusError(evidence::StatusCode::kNotFound, "there is no such resource");
  const Action action = action_of(*resource);
  return {action, std::move(*resource)};
}

HttpResponse method_refusal(Action action) {
  const std::string method(method_of(action));
  const auto error = evidence::error_json(kMethodNotAllowed, evidence::StatusCode::kInvalidArgument,
                                          "this resource takes " + method + " only");
  HttpResponse response = json_response(kMethodNotAllowed, error);
  response.headers.push_back({"Allow", method});
  return response;
}

/// `log` is warning or debug of base::log.
HttpResponse refusal(const HttpServerRequest& request, evidence::StatusCode code, const std::string& reason,
                     decltype(&base::log::warning) log) {
  log("request refused", {{"path", request.path}, {"status", name_of(code)}, {"reason", reason}});
  return error_response(code, reason);
}

/// What `answer` returns, or what becomes of what it throws.
template <typename Answer>
std::invoke_result_t<Answer> guarded(const HttpServerRequest& request, decltype(&base::log::warning) log,
                                     Answer answer) {
  try {
    return answer();
  } catch (const evidence::StatusError& error) {
    return refusal(request, error.code(), error.what(), log);
  } catch (const InvalidInput& error) {
    return refusal(request, evidence::StatusCode::kInvalidArgument, error.what(), log);
  } catch (const std::exception& error) {
    // What went wrong inside is for the operator, not for the client.
    base::log::error("request failed", {{"path", request.path}, {"error", error.what()}});
    return error_response(evidence::StatusCode::kInternal, "internal error");
  }
}

Json partial_error(evidence::StatusCode code, std::string_view message) {
  return {{"code", static_cast<int>(code)}, {"message", message}};
}

bool has_image_signatures(const JsonObject& request) {
  return std::ranges::any_of(request.objects_or_empty("signedEntities"), [](const JsonObject& entity) {
    entity.expect_only({"containerImageSignatures"});
    return !entity.objects_or_empty("containerImageSignatures").empty();
  });
}

/// The name stands in the path; the launcher's library writes it into the body as well.
void expect_same_challenge(const JsonObject& request, const std::string& name) {
  if (request.string_or("challenge", name) != name) {
    throw InvalidInput(request.path() + ".challenge", "is not the challenge of the path");
  }
}

/// Else evidence of a machine of one project would be turned into tokens through another's challenge.
void expect_project(const evidence::InstanceIdentity& identity, const std::string& project) {
  if (project == identity.project_id || project == std::to_string(identity.project_number)) return;
  throw evidence::StatusError(evidence::StatusCode::kPermissionDenied,
                              "the machine belongs to project " + identity.project_id + ", not to " + project);
}

/// Of a zone, as Google Cloud names them: region-letter.
std::string_view region_of(std::string_view zone) { return zone.substr(0, zone.rfind('-')); }

/// Locations that are configured are promises of where machines run, so a challenge of one is for its machines.
void expect_region(const evidence::InstanceIdentity& identity, const std::string& location) {
  if (location == region_of(identity.zone)) return;
  throw evidence::StatusError(evidence::StatusCode::kPermissionDenied,
                              "the machine is in zone " + identity.zone + ", not in location " + location);
}

std::vector<TrustAnchor> load_roots(const std::vector<RootConfig>& configs) {
  std::vector<TrustAnchor> anchors;
  for (const RootConfig& config : configs) {
    const std::string pem = base::read_text_file(config.file, kMaxRootsBytes);
    for (base::X509Ptr& certificate : base::parse_pem_certificates(pem, config.file.string())) {
      anchors.push_back({std::move(certificate), Platform{config.hwmodel}});
    }
  }
  return anchors;
}

std::vector<IdentityTokenIssuer> load_issuers(const std::vector<IssuerConfig>& configs) {
  std::vector<IdentityTokenIssuer> issuers;
  issuers.reserve(configs.size());
  for (const IssuerConfig& config : configs) {
    issuers.push_back(
        {config.issuer, evidence::parse_jwks(base::read_text_file(config.jwks, kMaxJwksBytes), config.jwks.string())});
  }
  return issuers;
}

void log_token(const Appraisal& appraisal, const Json& claims) {
  base::log::info("token issued", {{"project", appraisal.identity.project_id},
                                   {"instance", appraisal.identity.instance_name},
                                   {"hwmodel", claims["hwmodel"].get<std::string>()},
                                   {"swname", claims["swname"].get<std::string>()},
                                   {"dbgstat", claims["dbgstat"].get<std::string>()},
                                   {"image_digest", appraisal.launch.image_digest}});
}

ReferenceValues load_reference_values(const std::vector<std::filesystem::path>& files) {
  ReferenceValues values;
  for (const auto& file : files) {
    values.add(base::read_text_file(file, kMaxReferenceValuesBytes), file.string());
  }
  return values;
}

}  // namespace

Knowledge Knowledge::load(const Config& config) {
  return {TrustAnchors(load_roots(config.attestation_roots)), load_reference_values(config.reference_values),
          IdentityTokens(load_issuers(config.identity_token_issuers)),
          OidcSigner(SigningKeys::open(config.state_directory))};
}

Api::Api(Config config, Knowledge knowledge, base::Clock clock)
    : config_(std::move(config)),
      knowledge_(std::move(knowledge)),
      clock_(std::move(clock)),
      challenges_(config_.challenge_lifetime, clock_) {}

net::HttpAdmission Api::admit(const HttpServerRequest& head) const {
  net::HttpAdmission admission;
  // Anybody can cause as many of these lines as he likes, and they tell of nothing that was judged.
  admission.answer = guarded(head, base::log::debug, [&]() -> std::optional<HttpResponse> {
    const Route route = route_of(head.path);
    if (head.method != method_of(route.action)) return method_refusal(route.action);
    if (route.action == Action::kCreateChallenge) expect_location(route.resource);
    if (route.action == Action::kVerify) challenges_.expect_open(*route.resource.challenge);
    admission.max_body_bytes = max_body_bytes_of(route.action);
    return std::nullopt;
  });
  return admission;
}

base::Awaitable<HttpResponse> Api::handle(const HttpServerRequest& request) {
  HttpResponse response = guarded(request, base::log::warning, [&] {
    const Route route = route_of(request.path);
    if (request.method != method_of(route.action)) return method_refusal(route.action);
    return json_response(200, answer(route, request.body));
  });
  co_return response;
}

Json Api::answer(const Route& route, std::string_view body) {
  switch (route.action) {
    case Action::kHealth: return {{"status", "ok"}};
    case Action::kDiscovery: return discovery();
    case Action::kKeys: return knowledge_.oidc_signer.jwks();
    case Action::kLocations: return locations(route.resource);
    case Action::kLocation: return location(route.resource);
    case Action::kCreateChallenge: return create_challenge(route.resource, body);
    case Action::kVerify: return verify(route.resource, body);
  }
  throw base::Error("unknown action");
}

void Api::expect_location(const ResourcePath& resource) const {
  const auto& known = config_.locations;
  if (!known.empty() && std::ranges::find(known, *resource.location) == known.end()) {
    throw evidence::StatusError(evidence::StatusCode::kNotFound, "location " + *resource.location + " is not served");
  }
}

Json Api::locations(const ResourcePath& resource) const {
  Json list = Json::array();
  for (const std::string& id : config_.locations) {
    list.push_back({{"name", "projects/" + resource.project + "/locations/" + id}, {"locationId", id}});
  }
  return {{"locations", std::move(list)}};
}

Json Api::location(const ResourcePath& resource) const {
  expect_location(resource);
  return {{"name", "projects/" + resource.project + "/locations/" + *resource.location},
          {"locationId", *resource.location}};
}

Json Api::create_challenge(const ResourcePath& resource, std::string_view body) {
  expect_location(resource);
  if (!body.empty()) {
    const Json parsed = base::parse_json(body, kBody, {.max_bytes = kMaxChallengeRequestBytes});
    // All fields of a Challenge are output only: what a client writes into them counts for nothing.
    JsonObject(parsed, kBody).expect_only({"name", "createTime", "expireTime", "used", "tpmNonce"});
  }
  const IssuedChallenge challenge = challenges_.issue(resource.project, *resource.location);
  return {{"name", challenge.name},
          {"createTime", base::to_rfc3339(challenge.create_time)},
          {"expireTime", base::to_rfc3339(challenge.expire_time)},
          {"used", false},
          {"tpmNonce", base::base64_encode(challenge.nonce)}};
}

Json Api::verify(const ResourcePath& resource, std::string_view body) {
  // First of all, so that no evidence, however it is judged, gets a second try with the same nonce.
  const base::Bytes nonce = challenges_.consume(*resource.challenge);
  return issue(resource, body, nonce);
}

Json Api::issue(const ResourcePath& resource, std::string_view body, base::ByteView nonce) const {
  const Json parsed = base::parse_json(body, kBody, {.max_bytes = kMaxRequestBytes, .max_values = kMaxRequestValues});
  const JsonObject json(parsed, kBody);
  const auto request = evidence::VerifyRequest::parse(json);
  expect_same_challenge(json, *resource.challenge);
  check_options(request.options);

  const base::WallTime now = clock_.wall();
  const Appraisal appraisal = appraise(request.evidence, nonce, knowledge_.anchors, now);
  expect_project(appraisal.identity, resource.project);
  if (!config_.locations.empty()) expect_region(appraisal.identity, *resource.location);
  if (config_.require_secure_boot && !appraisal.secure_boot) {
    throw evidence::StatusError(evidence::StatusCode::kPermissionDenied, "the machine was started without Secure Boot");
  }

  Json partial_errors = Json::array();
  TokenContext context{config_.issuer, now, config_.token_lifetime, std::nullopt};
  if (knowledge_.identity_tokens.is_configured()) {
    context.service_accounts = knowledge_.identity_tokens.emails(request.id_tokens, *resource.challenge, now);
  } else if (!request.id_tokens.empty()) {
    partial_errors.push_back(
        partial_error(evidence::StatusCode::kUnimplemented,
                      "gcpCredentials: no issuer of ID tokens is configured, google_service_accounts is left out"));
  }
  if (has_image_signatures(json)) {
    partial_errors.push_back(
        partial_error(evidence::StatusCode::kUnimplemented, "signedEntities: image signatures are not verified"));
  }
  const ReferenceValue* image = knowledge_.reference_values.find(appraisal.machine);
  const Json claims = make_claims(appraisal, image, request.options, context);
  Json response = {{"attestationToken", knowledge_.oidc_signer.sign(claims)}};
  if (!partial_errors.empty()) response["partialErrors"] = std::move(partial_errors);
  log_token(appraisal, claims);
  return response;
}

Json Api::discovery() const {
  return {{"issuer", config_.issuer},
          {"jwks_uri", config_.issuer + "/.well-known/jwks.json"},
          {"subject_types_supported", {"public"}},
          {"response_types_supported", {"id_token"}},
          {"claims_supported",
           {"sub", "aud", "exp", "iat", "iss", "nbf", "dbgstat", "eat_nonce", "eat_profile", "google_service_accounts",
            "hwmodel", "oemid", "secboot", "submods", "swname", "swversion"}},
          {"id_token_signing_alg_values_supported", {"RS256"}},
          {"scopes_supported", {"openid"}}};
}

}  // namespace verifier
