#include "attest/verifiers/gca_verifier.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/log.h"
#include "base/retry.h"
#include "evidence/jose.h"
#include "net/checked_text.h"

namespace attest {
namespace {

using base::Json;
using base::JsonObject;
using base::Milliseconds;

/// Challenges and locations: tried again on UNAVAILABLE and INTERNAL, with 0.5 to 1 s between.
constexpr base::RetryPolicy kRetries{.max_attempts = 3,
                                     .first_delay = Milliseconds(500),
                                     .multiplier = 2.0,
                                     .max_delay = Milliseconds(1000),
                                     .jitter = 0.1};
constexpr Milliseconds kShortCall{5000};
/// Never tried again: the call uses the challenge up.
constexpr Milliseconds kVerifyCall{60000};
/// A token, and what is said beside it.
constexpr std::size_t kMaxAnswerBytes = evidence::kMaxJwtBytes + (std::size_t{64} << 10U);
constexpr std::size_t kMaxQuotedText = 500;
constexpr std::size_t kMaxPartialErrorsLogged = 16;

constexpr unsigned kTooManyRequests = 429;
/// No token lives longer, so who is told to come back later than that has lost it anyway.
constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::hours(24);

/// States of a service that pass by themselves.
constexpr std::array<std::string_view, 3> kPassing = {"UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"};

bool may_pass(const base::Error& error) {
  const auto* refusal = dynamic_cast<const VerifierError*>(&error);
  return refusal != nullptr && (refusal->code().name == "UNAVAILABLE" || refusal->code().name == "INTERNAL");
}

/// The same without what the caller waits for.
bool may_pass_at_once(const base::Error& error) {
  const auto* refusal = dynamic_cast<const VerifierError*>(&error);
  return may_pass(error) && refusal != nullptr && !refusal->may_come_later();
}

VerifierError unreachable(const net::HttpError& error) {
  const bool timed_out = error.kind() == net::HttpError::Kind::kTimeout;
  VerifierError failure(std::string("verifier: ") + error.what(),
                        evidence::canonical_code(timed_out ? "DEADLINE_EXCEEDED" : "UNAVAILABLE"));
  // A wrong certificate stays wrong, and so does what is no HTTP.
  if (timed_out || error.kind() == net::HttpError::Kind::kConnect) failure.set_may_come_later();
  return failure;
}

std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response) {
  const std::string_view text = response.header("Retry-After");
  std::uint32_t seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kLongestRetryAfter);
}

/// google.rpc.Status, or whatever a proxy in between says.
VerifierError refusal(const net::HttpResponse& response) {
  evidence::CanonicalCode code = evidence::canonical_code_of_http(response.status);
  std::string message = response.body.substr(0, kMaxQuotedText);
  try {
    const Json document = base::parse_json(response.body, "error");
    const JsonObject error = JsonObject(document, "error").object("error");
    message = error.string_or("message", message).substr(0, kMaxQuotedText);
    if (const auto status = error.optional_string("status")) code = evidence::canonical_code(*status);
  } catch (const base::InvalidInput&) {
    // Not JSON: the HTTP status and the text are all there is to tell.
  }
  VerifierError failure(
      "verifier refused with " + std::string(code.name) + " (HTTP " + std::to_string(response.status) + "): " + message,
      code, retry_after(response));
  const bool passes = response.status >= 500 && std::ranges::find(kPassing, code.name) != kPassing.end();
  if (passes || response.status == kTooManyRequests) failure.set_may_come_later();
  return failure;
}

void log_partial_errors(const JsonObject& answer) {
  const std::vector<JsonObject> errors = answer.objects_or_empty("partialErrors");
  for (std::size_t i = 0; i < std::min(errors.size(), kMaxPartialErrorsLogged); ++i) {
    base::log::warning("Partial errors from VerifyAttestation",
                       {{"error", errors[i].string_or("message", "").substr(0, kMaxQuotedText)}});
  }
  if (errors.size() <= kMaxPartialErrorsLogged) return;
  base::log::warning("more partial errors from VerifyAttestation",
                     {{"count", std::uint64_t{errors.size() - kMaxPartialErrorsLogged}}});
}

}  // namespace

std::string checked_endpoint(const std::string& endpoint, std::string_view field) {
  const net::HttpUrl url = net::HttpUrl::parse(endpoint, field);
  if (!url.tls && !url.is_loopback()) {
    throw base::InvalidInput(field, "plain http is accepted for loopback addresses only");
  }
  if (url.target != "/") throw base::InvalidInput(field, "must not have a path");
  return url.origin();
}

GcaVerifier::GcaVerifier(asio::any_io_executor executor, Config config)
    : executor_(executor), config_(std::move(config)), client_(executor, config_.ca_file) {
  config_.endpoint = checked_endpoint(config_.endpoint, "verifier endpoint");
  config_.project_id = net::checked_name(std::move(config_.project_id), "project");
  config_.region = net::checked_name(std::move(config_.region), "region");
}

base::Awaitable<Json> GcaVerifier::call(std::string method, std::string path, std::string body, Milliseconds timeout) {
  net::HttpRequest request{.method = method, .url = config_.endpoint + "/v1/" + path};
  request.headers.push_back({"Accept", "application/json"});
  if (method == "POST") request.headers.push_back({"Content-Type", "application/json"});
  request.body = std::move(body);
  if (config_.access_token) {
    const auto token = co_await config_.access_token();
    if (token) request.headers.push_back({"Authorization", "Bearer " + *token});
  }
  net::HttpResponse response;
  try {
    response = co_await client_.send(std::move(request), {.max_body_bytes = kMaxAnswerBytes, .timeout = timeout});
  } catch (const net::HttpError& error) {
    throw unreachable(error);
  }
  if (response.status != 200) throw refusal(response);
  try {
    co_return base::parse_json(response.body, "verifier's answer");
  } catch (const base::InvalidInput& error) {
    throw VerifierError(error.what(), evidence::canonical_code("DATA_LOSS"));
  }
}

base::Awaitable<Json> GcaVerifier::call_with_retries(std::string method, std::string path, std::string body,
                                                     IsTransient is_transient) {
  const auto attempt = [&] { return call(method, path, body, kShortCall); };
  co_return co_await base::retry(executor_, kRetries, attempt, is_transient);
}

base::Awaitable<void> GcaVerifier::check_location() {
  const std::string project = "projects/" + config_.project_id;
  std::optional<VerifierError> failure;
  try {
    co_await call_with_retries("GET", project + "/locations/" + config_.region, "", may_pass_at_once);
  } catch (const VerifierError& error) {
    failure = error;
  }
  if (!failure) co_return;
  if (failure->code().name != "NOT_FOUND" && failure->code().name != "INVALID_ARGUMENT") throw VerifierError(*failure);
  const std::string regions = co_await region_list();
  throw VerifierError("invalid region \"" + config_.region + "\", available regions are [" + regions + "]",
                      failure->code());
}

base::Awaitable<std::string> GcaVerifier::region_list() {
  const Json answer = co_await call_with_retries("GET", "projects/" + config_.project_id + "/locations", "", may_pass);
  std::string regions;
  for (const JsonObject& location : JsonObject(answer, "locations").objects_or_empty("locations")) {
    if (!regions.empty()) regions += ' ';
    regions += location.string_or("locationId", "?");
  }
  co_return regions;
}

base::Awaitable<evidence::Challenge> GcaVerifier::create_challenge() {
  const std::string path = "projects/" + config_.project_id + "/locations/" + config_.region + "/challenges";
  const Json answer = co_await call_with_retries("POST", path, "{}", may_pass);
  try {
    evidence::Challenge challenge = evidence::Challenge::parse(JsonObject(answer, "challenge"));
    base::log::info("Successfully created challenge", {{"challenge_name", challenge.name}});
    co_return challenge;
  } catch (const base::InvalidInput& error) {
    throw VerifierError(std::string("verifier's answer: ") + error.what(), evidence::canonical_code("DATA_LOSS"));
  }
}

base::Awaitable<std::string> GcaVerifier::verify(evidence::Challenge challenge, evidence::VerifyRequest request) {
  std::string body = request.to_json(challenge.name).dump();
  if (body.size() > evidence::kMaxVerifyRequestBytes) {
    throw base::InvalidInput("verify request", std::to_string(body.size()) + " bytes long, more than the " +
                                                   std::to_string(evidence::kMaxVerifyRequestBytes) +
                                                   " that a verifier takes");
  }
  request = {};  // its evidence stands in the body
  const Json answer = co_await call("POST", challenge.name + ":verifyConfidentialSpace", std::move(body), kVerifyCall);
  try {
    const JsonObject object(answer, "answer");
    log_partial_errors(object);
    co_return object.string("attestationToken");
  } catch (const base::InvalidInput& error) {
    throw VerifierError(std::string("verifier's answer: ") + error.what(), evidence::canonical_code("DATA_LOSS"));
  }
}

}  // namespace attest
