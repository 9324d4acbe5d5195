#include "attest/verifiers/gca_verifier.h"

#include <algorithm>

#include "base/log.h"
#include "base/retry.h"
#include "evidence/jose.h"
#include "net/checked_text.h"

namespace attest {
namespace {

using base::Json;
using base::JsonObject;
using base::Milliseconds;
using evidence::StatusCode;
using evidence::StatusError;

/// Challenges and lists of locations, with 0.5 to 1 s between.
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
/// Of the list of regions: as long as it is told to a person, who has some forty to choose from.
constexpr std::size_t kMaxLocationPages = 8;
constexpr std::size_t kMaxRegionsText = 2048;
constexpr std::size_t kMaxPageTokenBytes = 1024;
constexpr std::size_t kMaxPartialErrorsLogged = 16;

/// States of a service that pass by themselves.
bool may_pass(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kInternal || code == StatusCode::kDeadlineExceeded ||
         code == StatusCode::kResourceExhausted;
}

StatusError unreachable(const net::HttpError& error) {
  const bool timed_out = error.kind() == net::HttpError::Kind::kTimeout;
  StatusError failure(timed_out ? StatusCode::kDeadlineExceeded : StatusCode::kUnavailable,
                      std::string("verifier: ") + error.what());
  if (error.may_pass()) failure.set_transience(base::Transience::kMayPass);
  return failure;
}

/// google.rpc.Status, or whatever a proxy in between says.
StatusError refusal(const net::HttpResponse& response) {
  StatusCode code = evidence::status_code_of_http(response.status);
  std::string message = response.body.substr(0, kMaxQuotedText);
  try {
    const Json document = base::parse_json(response.body, "error");
    const JsonObject error = JsonObject(document, "error").object("error");
    message = error.string_or("message", message).substr(0, kMaxQuotedText);
    if (const auto status = error.optional_string("status")) code = evidence::status_code_named(*status);
  } catch (const base::InvalidInput&) {
    // Not JSON: the HTTP status and the text are all there is to tell.
  }
  StatusError failure(code, "verifier refused with " + std::string(name_of(code)) + " (HTTP " +
                                std::to_string(response.status) + "): " + message);
  if (may_pass(code)) failure.set_transience(base::Transience::kMayPass, net::retry_after(response));
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

GcaVerifier::GcaVerifier(asio::any_io_executor executor, Config config)
    : executor_(executor), config_(std::move(config)), client_(executor, config_.ca_file) {
  config_.endpoint = net::checked_service_url(config_.endpoint, "verifier endpoint");
  config_.project_id = net::checked_name(std::move(config_.project_id), "project");
  config_.region = net::checked_name(std::move(config_.region), "region");
}

/// With an access token, whose own source tries again by itself.
base::Awaitable<net::HttpRequest> GcaVerifier::prepare(std::string method, std::string path, std::string body) {
  net::HttpRequest request{.method = method, .url = config_.endpoint + "/v1/" + path};
  request.headers.push_back({"Accept", "application/json"});
  if (method == "POST") request.headers.push_back({"Content-Type", "application/json"});
  request.body = std::move(body);
  if (config_.access_token) {
    const auto token = co_await config_.access_token();
    if (token) request.headers.push_back({"Authorization", "Bearer " + *token});
  }
  co_return request;
}

base::Awaitable<Json> GcaVerifier::exchange(net::HttpRequest request, Milliseconds timeout) {
  net::HttpResponse response;
  try {
    response = co_await client_.send(std::move(request), {.max_body_bytes = kMaxAnswerBytes, .timeout = timeout});
  } catch (const net::HttpError& error) {
    throw unreachable(error);
  }
  if (response.status != net::status::kOk) throw refusal(response);
  try {
    co_return base::parse_json(response.body, "verifier's answer");
  } catch (const base::InvalidInput& error) {
    throw StatusError(StatusCode::kDataLoss, error.what());
  }
}

base::Awaitable<Json> GcaVerifier::call(std::string method, std::string path, std::string body, Milliseconds timeout) {
  net::HttpRequest request = co_await prepare(std::move(method), std::move(path), std::move(body));
  co_return co_await exchange(std::move(request), timeout);
}

base::Awaitable<Json> GcaVerifier::call_with_retries(std::string method, std::string path, std::string body) {
  const net::HttpRequest request = co_await prepare(std::move(method), std::move(path), std::move(body));
  const auto attempt = [&] { return exchange(request, kShortCall); };
  co_return co_await base::retry(executor_, kRetries, attempt);
}

base::Awaitable<void> GcaVerifier::check_location() {
  const std::string path = "projects/" + config_.project_id + "/locations/" + config_.region;
  StatusCode refusal{};
  try {
    co_await call("GET", path, "", kShortCall);
    co_return;
  } catch (const StatusError& error) {
    refusal = error.code();
    if (refusal != StatusCode::kNotFound && refusal != StatusCode::kInvalidArgument) throw;
  }
  const std::string regions = co_await region_list();
  throw StatusError(refusal, "invalid region \"" + config_.region + "\", available regions are [" + regions + "]");
}

base::Awaitable<std::string> GcaVerifier::region_list() {
  const std::string list = "projects/" + config_.project_id + "/locations";
  std::string regions;
  std::string page;
  for (std::size_t pages = 0; pages < kMaxLocationPages; ++pages) {
    const std::string path = page.empty() ? list : list + "?pageToken=" + net::url_encode(page);
    const Json answer = co_await call_with_retries("GET", path, "");
    const JsonObject json(answer, "locations");
    for (const JsonObject& location : json.objects_or_empty("locations")) {
      const std::string region = location.string_or("locationId", "?");
      if (regions.size() + region.size() >= kMaxRegionsText) co_return regions + " ...";
      if (!regions.empty()) regions += ' ';
      regions += region;
    }
    page = json.string_or("nextPageToken", "");
    if (page.empty()) co_return regions;
    if (page.size() > kMaxPageTokenBytes) break;
  }
  co_return regions + " ...";
}

base::Awaitable<evidence::Challenge> GcaVerifier::create_challenge() {
  const std::string path = "projects/" + config_.project_id + "/locations/" + config_.region + "/challenges";
  const Json answer = co_await call_with_retries("POST", path, "{}");
  try {
    evidence::Challenge challenge = evidence::Challenge::parse(JsonObject(answer, "challenge"));
    base::log::info(
        "Successfully created challenge",
        {{"challenge_name", challenge.name}, {"binds_requests", challenge.binds_requests ? "true" : "false"}});
    co_return challenge;
  } catch (const base::InvalidInput& error) {
    throw StatusError(StatusCode::kDataLoss, std::string("verifier's answer: ") + error.what());
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
    throw StatusError(StatusCode::kDataLoss, std::string("verifier's answer: ") + error.what());
  }
}

}  // namespace attest
