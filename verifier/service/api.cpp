#include "verifier/service/api.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "evidence/status.h"
#include "verifier/service/issue_token.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr const char* kBody = "request";
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

/// What went wrong inside is for the operator, not for the client.
HttpResponse broken(const HttpServerRequest& request, const std::exception& error) {
  base::log::error("request failed", {{"path", request.path}, {"error", error.what()}});
  return error_response(evidence::StatusCode::kInternal, "internal error");
}

/// `log` is warning or debug of base::log.
HttpResponse refusal(const HttpServerRequest& request, evidence::StatusCode code, const std::string& reason,
                     decltype(&base::log::warning) log) {
  log("request refused", {{"path", request.path}, {"status", name_of(code)}, {"reason", reason}});
  return error_response(code, reason);
}

/// What becomes of what was thrown; a cancellation is thrown on.
HttpResponse refusal_of(const std::exception_ptr& failure, const HttpServerRequest& request,
                        decltype(&base::log::warning) log) {
  try {
    std::rethrow_exception(failure);
  } catch (const evidence::StatusError& error) {
    return refusal(request, error.code(), error.what(), log);
  } catch (const InvalidInput& error) {
    return refusal(request, evidence::StatusCode::kInvalidArgument, error.what(), log);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    return broken(request, error);
  } catch (const std::exception& error) {
    return broken(request, error);
  }
}

void log_token(const Json& claims) {
  const Json& modules = claims["submods"];
  base::log::info("token issued", {{"project", modules["gce"]["project_id"].get<std::string>()},
                                   {"instance", modules["gce"]["instance_name"].get<std::string>()},
                                   {"hwmodel", claims["hwmodel"].get<std::string>()},
                                   {"swname", claims["swname"].get<std::string>()},
                                   {"dbgstat", claims["dbgstat"].get<std::string>()},
                                   {"image_digest", modules["container"]["image_digest"].get<std::string>()}});
}

void expect_location(const Config& config, const ResourcePath& resource) {
  const auto& known = config.locations;
  if (!known.empty() && std::ranges::find(known, *resource.location) == known.end()) {
    throw evidence::StatusError(evidence::StatusCode::kNotFound, "location " + *resource.location + " is not served");
  }
}

Json locations(const Config& config, const ResourcePath& resource) {
  Json list = Json::array();
  for (const std::string& id : config.locations) {
    list.push_back({{"name", "projects/" + resource.project + "/locations/" + id}, {"locationId", id}});
  }
  return {{"locations", std::move(list)}};
}

Json location(const Config& config, const ResourcePath& resource) {
  expect_location(config, resource);
  return {{"name", "projects/" + resource.project + "/locations/" + *resource.location},
          {"locationId", *resource.location}};
}

Json discovery(const Config& config) {
  return {{"issuer", config.issuer},
          {"jwks_uri", config.issuer + "/.well-known/jwks.json"},
          {"subject_types_supported", {"public"}},
          {"response_types_supported", {"id_token"}},
          {"claims_supported",
           {"sub", "aud", "exp", "iat", "iss", "nbf", "dbgstat", "eat_nonce", "eat_profile", "google_service_accounts",
            "hwmodel", "oemid", "secboot", "submods", "swname", "swversion"}},
          {"id_token_signing_alg_values_supported", {"RS256"}},
          {"scopes_supported", {"openid"}}};
}

}  // namespace

Api::Api(std::shared_ptr<const Knowledge> knowledge, base::Clock clock, Appraisers& appraisers)
    : knowledge_(std::move(knowledge)),
      clock_(std::move(clock)),
      appraisers_(appraisers),
      challenges_(knowledge_->config.challenge_lifetime, clock_) {}

void Api::use(std::shared_ptr<const Knowledge> knowledge) {
  knowledge_ = std::move(knowledge);
  challenges_.set_lifetime(knowledge_->config.challenge_lifetime);
}

net::HttpAdmission Api::admit(const HttpServerRequest& head) const {
  net::HttpAdmission admission;
  try {
    const Route route = route_of(head.path);
    if (head.method != method_of(route.action)) {
      admission.answer = method_refusal(route.action);
      return admission;
    }
    if (route.action == Action::kCreateChallenge) expect_location(knowledge_->config, route.resource);
    if (route.action == Action::kVerify) challenges_.expect_open(*route.resource.challenge);
    admission.max_body_bytes = max_body_bytes_of(route.action);
  } catch (...) {  // not hidden: it is the answer
    // Anybody can cause as many of these lines as he likes, and they tell of nothing that was judged.
    admission.answer = refusal_of(std::current_exception(), head, base::log::debug);
  }
  return admission;
}

base::Awaitable<HttpResponse> Api::handle(HttpServerRequest& request) {
  try {
    Route route = route_of(request.path);
    if (request.method != method_of(route.action)) co_return method_refusal(route.action);
    const Json body = co_await answer(std::move(route), std::move(request.body));
    co_return json_response(200, body);
  } catch (...) {  // not hidden: it is the answer
    co_return refusal_of(std::current_exception(), request, base::log::warning);
  }
}

base::Awaitable<Json> Api::answer(Route route, std::string body) {
  switch (route.action) {
    case Action::kHealth: co_return Json{{"status", "ok"}};
    case Action::kDiscovery: co_return discovery(knowledge_->config);
    case Action::kKeys: co_return knowledge_->oidc_signer.jwks();
    case Action::kLocations: co_return locations(knowledge_->config, route.resource);
    case Action::kLocation: co_return location(knowledge_->config, route.resource);
    case Action::kCreateChallenge: co_return co_await create_challenge(std::move(route.resource), std::move(body));
    case Action::kVerify: co_return co_await verify(std::move(route.resource), std::move(body));
  }
  throw base::Error("unknown action");
}

base::Awaitable<Json> Api::create_challenge(ResourcePath resource, std::string body) {
  expect_location(knowledge_->config, resource);
  if (!body.empty()) {
    const Json parsed = base::parse_json(body, kBody, {.max_bytes = kMaxChallengeRequestBytes});
    // All fields of a Challenge are output only: what a client writes into them counts for nothing.
    JsonObject(parsed, kBody).expect_only({"name", "createTime", "expireTime", "used", "tpmNonce"});
  }
  const IssuedChallenge challenge = co_await challenges_.issue(resource.project, *resource.location);
  co_return Json{{"name", challenge.name},
                 {"createTime", base::to_rfc3339(challenge.create_time)},
                 {"expireTime", base::to_rfc3339(challenge.expire_time)},
                 {"used", false},
                 {"tpmNonce", base::base64_encode(challenge.nonce)},
                 {evidence::kRequestBindingField, evidence::kRequestBindingV1}};
}

base::Awaitable<Json> Api::verify(ResourcePath resource, std::string body) {
  // First of all, so that no evidence, however it is judged, gets a second try with the same nonce.
  base::Bytes nonce = co_await challenges_.consume(*resource.challenge);
  auto job = [knowledge = knowledge_, resource = std::move(resource), body = std::move(body), nonce = std::move(nonce),
              now = clock_.wall()] { return issue_token(*knowledge, resource, body, nonce, now); };
  IssuedToken issued = co_await appraisers_.run(std::move(job));
  log_token(issued.claims);
  co_return std::move(issued.response);
}

}  // namespace verifier
