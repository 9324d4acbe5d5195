#include "verifier/service/api.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "evidence/refusal.h"
#include "verifier/service/issue_token.h"
#include "verifier/service/location_list.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using evidence::Reason;
using evidence::Refusal;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr const char* kBody = "request";
constexpr std::string_view kVerifyConfidentialGke = "verifyConfidentialGke";
constexpr unsigned kMethodNotAllowed = 405;

HttpResponse json_response(unsigned status, const Json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", "no-store"}},
          // What a client sent may stand in a message.
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

/// Whether the resource is read, or acted upon.
bool is_read(Action action) {
  switch (action) {
    case Action::kHealth:
    case Action::kPublished:
    case Action::kLocations:
    case Action::kLocation: return true;
    case Action::kCreateChallenge:
    case Action::kVerify: return false;
  }
  throw base::Error("unknown action");
}

bool takes(Action action, std::string_view method) {
  return is_read(action) ? method == "GET" || method == "HEAD" : method == "POST";
}

std::size_t max_body_bytes_of(Action action) {
  if (action == Action::kCreateChallenge) return kMaxChallengeRequestBytes;
  return action == Action::kVerify ? kMaxRequestBytes : 0;
}

Action action_of(const ResourcePath& resource) {
  if (!resource.location) return Action::kLocations;
  if (resource.is_challenges) return Action::kCreateChallenge;
  if (!resource.challenge) return Action::kLocation;
  if (resource.verb == kVerifyConfidentialSpace || resource.verb == kVerifyAttestation) return Action::kVerify;
  if (resource.verb == kVerifyConfidentialGke) {
    throw Refusal(Reason::kUnsupportedMethod,
                  ":verifyConfidentialGke is not served: it is for nodes of Google's Kubernetes service, whose images "
                  "and their reference values are Google's alone");
  }
  throw Refusal(Reason::kUnsupportedMethod,
                "of a challenge, this verifier serves :verifyConfidentialSpace and :verifyAttestation only");
}

HttpResponse method_refusal(Action action) {
  const std::string methods = is_read(action) ? "GET, HEAD" : "POST";
  const auto error =
      evidence::error_json(kMethodNotAllowed, code_of(Reason::kMethodNotAllowed),
                           "this resource takes " + methods + " only", name_of(Reason::kMethodNotAllowed));
  HttpResponse response = json_response(kMethodNotAllowed, error);
  response.headers.push_back({"Allow", methods});
  return response;
}

HttpResponse error_response(const evidence::StatusError& error) {
  return json_response(http_status_of(error.code()), error_json(error.code(), error.what(), error.reason()));
}

/// What went wrong inside is for the operator, not for the client.
HttpResponse broken(const HttpServerRequest& request, const std::exception& error,
                    const Refusal& answer = Refusal(Reason::kInternal, "internal error")) {
  base::log::error("request failed", {{"path", request.path}, {"error", error.what()}});
  return error_response(answer);
}

Refusal no_key() { return {Reason::kSigningKeyUnavailable, "the key that signs tokens can't be had at the moment"}; }

/// `log` is warning or debug of base::log.
HttpResponse refusal(const HttpServerRequest& request, const evidence::StatusError& error,
                     decltype(&base::log::warning) log) {
  log("request refused", {{"path", request.path},
                          {"status", name_of(error.code())},
                          {"reason", error.reason()},
                          {"message", error.what()}});
  return error_response(error);
}

/// What becomes of what was thrown; a cancellation is thrown on.
HttpResponse refusal_of(const std::exception_ptr& failure, const HttpServerRequest& request,
                        decltype(&base::log::warning) log) {
  try {
    std::rethrow_exception(failure);
  } catch (const evidence::StatusError& error) {
    return refusal(request, error, log);
  } catch (const InvalidInput& error) {
    return refusal(request, Refusal(Reason::kInvalidRequest, error.what()), log);
  } catch (const SigningKeyUnavailable& error) {
    return broken(request, error, no_key());
  } catch (const WrongPin& error) {
    return broken(request, error, no_key());
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    return broken(request, error);
  } catch (const std::exception& error) {
    return broken(request, error);
  }
}

void log_token(const IssuedToken& issued) {
  const Json& claims = issued.claims;
  base::log::info("token issued", {{"project", issued.identity.project_id},
                                   {"instance", issued.identity.instance_name},
                                   {"instance_id", std::to_string(issued.identity.instance_id)},
                                   {"attestation_key", issued.attestation_key_sha256},
                                   {"hwmodel", claims["hwmodel"].get<std::string>()},
                                   {"swname", claims["swname"].get<std::string>()},
                                   {"dbgstat", claims["dbgstat"].get<std::string>()},
                                   {"image_digest", issued.image_digest}});
  if (issued.explanation.is_null()) return;
  base::log::info("image appraised", {{"instance_id", std::to_string(issued.identity.instance_id)},
                                      {"standing", issued.explanation["standing"].get<std::string>()},
                                      {"explanation", issued.explanation_sentence}});
}

void expect_location(const Config& config, const ResourcePath& resource) {
  const auto& known = config.locations;
  if (!known.empty() && std::ranges::find(known, *resource.location) == known.end()) {
    throw Refusal(Reason::kLocationNotServed, "location " + *resource.location + " is not served");
  }
}

}  // namespace

Api::Api(asio::any_io_executor executor, std::shared_ptr<const Knowledge> knowledge,
         std::shared_ptr<const Signers> signers, base::Clock clock, Appraisers& appraisers)
    : knowledge_(std::move(knowledge)),
      signers_(std::move(signers)),
      clock_(std::move(clock)),
      appraisers_(appraisers),
      published_(published_documents(knowledge_->config, *signers_)),
      issuer_keys_(std::move(executor), clock_),
      challenges_(knowledge_->config.challenge_lifetime, clock_) {
  issuer_keys_.use(knowledge_->config.identity_token_issuers);
}

void Api::use(std::shared_ptr<const Knowledge> knowledge, std::shared_ptr<const Signers> signers) {
  knowledge_ = std::move(knowledge);
  signers_ = std::move(signers);
  published_ = published_documents(knowledge_->config, *signers_);
  issuer_keys_.use(knowledge_->config.identity_token_issuers);
  challenges_.set_lifetime(knowledge_->config.challenge_lifetime);
}

Route Api::route_of(std::string_view path) const {
  if (path == "/healthz") return {Action::kHealth, {}};
  if (auto resource = parse_resource_path(path)) {
    const Action action = action_of(*resource);
    return {action, std::move(*resource)};
  }
  // Below the issuer's URL, for who comes here by it, and at the root, for a proxy that takes the issuer's path away.
  const std::string prefix = issuer_path(knowledge_->config);
  for (const PublishedDocument& document : published_) {
    if (path == document.path || path == prefix + document.path) return {Action::kPublished, {}, document};
  }
  throw Refusal(Reason::kResourceNotFound, "there is no such resource");
}

net::HttpAdmission Api::admit(const HttpServerRequest& head) const {
  net::HttpAdmission admission;
  try {
    const Route route = route_of(head.path);
    if (!takes(route.action, head.method)) {
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
    if (!takes(route.action, request.method)) co_return method_refusal(route.action);
    std::string body = std::move(request.body);
    co_return co_await answer(std::move(route), request, std::move(body));
  } catch (...) {  // not hidden: it is the answer
    co_return refusal_of(std::current_exception(), request, base::log::warning);
  }
}

HttpResponse Api::published(PublishedDocument document) const {
  const auto max_age = knowledge_->config.keys.cache_lifetime();
  return {.status = 200,
          .headers = {{"Content-Type", std::move(document.content_type)},
                      {"Cache-Control", "public, max-age=" + std::to_string(max_age.count())}},
          .body = std::move(document.body)};
}

base::Awaitable<HttpResponse> Api::answer(Route route, const HttpServerRequest& request, std::string body) {
  const Config& config = knowledge_->config;
  const ResourcePath& resource = route.resource;
  switch (route.action) {
    case Action::kHealth: co_return json_response(200, {{"status", "ok"}});
    case Action::kPublished: co_return published(std::move(route.document));
    case Action::kLocations:
      co_return json_response(200, list_locations(resource.project, config.locations, request.query));
    case Action::kLocation:
      expect_location(config, resource);
      co_return json_response(200, location_json(resource.project, *resource.location));
    case Action::kCreateChallenge: {
      const Json challenge = co_await create_challenge(std::move(route.resource), std::move(body));
      co_return json_response(200, challenge);
    }
    case Action::kVerify: {
      const Json token = co_await verify(std::move(route.resource), std::move(body));
      co_return json_response(200, token);
    }
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

base::Awaitable<std::optional<IssuedToken>> Api::appraise(const ResourcePath& resource,
                                                          std::shared_ptr<const std::string> body, base::Bytes nonce,
                                                          bool is_last_word) {
  const auto issuers = std::make_shared<const IdentityTokens>(issuer_keys_.with(knowledge_->identity_tokens));
  auto job = [knowledge = knowledge_, signers = signers_, issuers, resource, body = std::move(body),
              nonce = std::move(nonce),
              now = clock_.wall()] { return issue_token(*knowledge, *signers, *issuers, resource, *body, nonce, now); };
  std::optional<UnknownIssuerKey> unknown;
  try {
    co_return co_await appraisers_.run(std::move(job));
  } catch (const UnknownIssuerKey& error) {
    unknown.emplace(error);
  }
  const bool has_others = co_await issuer_keys_.refresh(unknown->issuer());
  if (has_others) co_return std::nullopt;
  const bool is_wrong = is_last_word && unknown->others_are_known();
  throw Refusal(is_wrong ? Reason::kInvalidIdToken : Reason::kIssuerUnavailable, unknown->what());
}

base::Awaitable<IssuedToken> Api::issue(ResourcePath resource, std::string body) {
  // First of all, so that no evidence, however it is judged, gets a second try with the same nonce.
  const base::Bytes nonce = co_await challenges_.consume(*resource.challenge);
  const auto shared_body = std::make_shared<const std::string>(std::move(body));
  // Each issuer that a request's tokens are of may have changed its keys, and the keys are fetched once a minute.
  for (std::size_t i = 0; i <= evidence::kMaxIdTokens; ++i) {
    std::optional<IssuedToken> issued = co_await appraise(resource, shared_body, nonce, i > 0);
    if (issued) co_return std::move(*issued);
  }
  throw Refusal(Reason::kIssuerUnavailable, "the keys of issuers of ID tokens change all the time");
}

base::Awaitable<Json> Api::verify(ResourcePath resource, std::string body) {
  try {
    IssuedToken issued = co_await issue(std::move(resource), std::move(body));
    log_token(issued);
    recent_.add(issued, clock_.wall());
    co_return std::move(issued.response);
  } catch (const evidence::StatusError& refusal) {
    recent_.add(refusal, clock_.wall());
    throw;
  }
}

}  // namespace verifier
