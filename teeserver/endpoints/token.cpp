#include "teeserver/endpoints/token.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json.h"
#include "evidence/status.h"
#include "teeserver/answers.h"

namespace teeserver {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr auto kTokenPath = "/v1/token";
/// A body of the server's limit can't nest deeper without being refused sooner for its fields.
constexpr base::JsonLimits kBodyLimits{.max_bytes = std::size_t{64} << 10U, .max_depth = 16, .max_values = 1024};

/// Of clients of 2024, when there were no other tags than those of LIMITED_AWS.
constexpr std::string_view kOldAwsName = "AWS";

std::optional<evidence::TokenType> type_named(std::string_view name) {
  return name == kOldAwsName ? evidence::TokenType::kLimitedAws : evidence::token_type_named(name);
}

/// Of a refusal by the verifier: 400 for what is the caller's to mend, else 500, as any other failure is ours.
unsigned status_of(evidence::StatusCode code) {
  using evidence::StatusCode;
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
    case StatusCode::kNotFound:
    case StatusCode::kAborted:
    case StatusCode::kOutOfRange:
    case StatusCode::kCancelled: return 400;
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kAlreadyExists:
    case StatusCode::kResourceExhausted:
    case StatusCode::kUnimplemented:
    case StatusCode::kInternal:
    case StatusCode::kUnavailable:
    case StatusCode::kDataLoss: return 500;
  }
  return 500;
}

HttpResponse token_response(const std::string& jwt) { return {200, {{"Content-Type", "application/jwt"}}, jwt}; }

/// What `answer` returns, or what becomes of what it throws. `prefix` outlives the answer.
base::Awaitable<HttpResponse> guarded(std::string_view prefix, base::Awaitable<HttpResponse> answer) {
  try {
    co_return co_await std::move(answer);
  } catch (const evidence::StatusError& error) {
    co_return failure(status_of(error.code()), prefix, error);
  } catch (const base::Error& error) {
    co_return failure(500, prefix, error);
  }
}

/// Where a value stands in the body; its text is only made for an error.
struct Place {
  const Place* outer;
  std::string_view key;

  std::string text() const {
    return (outer == nullptr ? std::string() : outer->text() + ".") + std::string(base::shown_key(key));
  }
};

/// Go's JSON decoder, which the clients of this API were written against, matches keys in any case.
Json with_lower_case_keys(const Json& value, const Place& place) {
  if (value.is_array()) {
    Json array = Json::array();
    for (const Json& item : value) array.push_back(with_lower_case_keys(item, place));
    return array;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, member] : value.items()) {
    const std::string lower = base::lower_case(key);
    const Place inner{&place, lower};
    if (object.contains(lower)) throw InvalidInput(inner.text(), "stands twice");
    object[lower] = with_lower_case_keys(member, inner);
  }
  return object;
}

std::vector<std::string> parse_key_ids(const JsonObject& json) {
  json.expect_only({"allowed_principal_tags"});
  const auto allowed = json.optional_object("allowed_principal_tags");
  if (!allowed) return {};
  allowed->expect_only({"container_image_signatures"});
  const auto signatures = allowed->optional_object("container_image_signatures");
  if (!signatures) return {};
  signatures->expect_only({"key_ids"});
  return signatures->strings_or_empty("key_ids");
}

bool wants_fresh(const HttpServerRequest& request) {
  const std::string_view directives = request.header("Cache-Control");
  return directives.find("no-cache") != std::string_view::npos || directives.find("no-store") != std::string_view::npos;
}

base::Awaitable<HttpResponse> get_default(attest::TokenService& tokens, const HttpServerRequest& request) {
  attest::DefaultToken token;
  if (wants_fresh(request)) {
    token = co_await tokens.fresh_default_token();
  } else {
    token = co_await tokens.default_token();
  }
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto fresh_for = token.expires - token.received - attest::TokenService::kMinLifeFromMemory;
  const std::int64_t max_age = std::max<std::int64_t>(0, duration_cast<seconds>(fresh_for).count());
  const std::int64_t age = std::max<std::int64_t>(0, duration_cast<seconds>(tokens.now() - token.received).count());
  const std::string etag = "\"" + token.etag + "\"";
  const bool unchanged = request.header("If-None-Match").find(etag) != std::string_view::npos;
  HttpResponse response = unchanged ? HttpResponse{304, {}, {}} : token_response(token.token->jwt);
  response.headers.push_back({"Cache-Control", "private, max-age=" + std::to_string(max_age)});
  response.headers.push_back({"Age", std::to_string(age)});
  response.headers.push_back({"ETag", etag});
  co_return response;
}

base::Awaitable<HttpResponse> post_custom(attest::TokenService& tokens, attest::Turns& turns,
                                          const HttpServerRequest& request) {
  TokenRequest wanted;
  try {
    wanted = TokenRequest::parse(request.body);
  } catch (const InvalidInput& error) {
    co_return plain_text(400, std::string("failed to parse POST body as TokenOptions: ") + error.what());
  }
  if (wanted.options.audience.empty()) co_return plain_text(400, "use GET request for the default identity token");
  if (wanted.token_type.empty()) co_return plain_text(400, "token_type is a required parameter");
  if (!type_named(wanted.token_type)) {
    std::string known;
    for (const std::string_view name : evidence::kTokenTypeNames) known.append(known.empty() ? "" : " ").append(name);
    co_return plain_text(400, "unknown token_type \"" + wanted.token_type + "\", expect one of [" + known + "]");
  }
  if (wanted.options.type == evidence::TokenType::kAwsPrincipalTags && !wanted.has_tag_options) {
    co_return plain_text(400, "aws_principal_tag_options is a required parameter of AWS_PRINCIPALTAGS; {} will do");
  }
  const std::optional<attest::Turns::Turn> turn = co_await turns.wait(request.peer);
  if (!turn) co_return too_many_attestations();
  const attest::Token token = co_await tokens.custom_token(std::move(wanted.options));
  HttpResponse response = token_response(token.jwt);
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

}  // namespace

TokenRequest TokenRequest::parse(std::string_view body) {
  const Json document = with_lower_case_keys(base::parse_json(body, "body", kBodyLimits), {nullptr, "body"});
  const JsonObject json(document, "body");
  json.expect_only({"audience", "nonces", "token_type", "aws_principal_tag_options"});
  TokenRequest request;
  request.options.audience = json.string_or("audience", "");
  request.options.nonces = json.strings_or_empty("nonces");
  request.token_type = json.string_or("token_type", "");
  request.options.type = type_named(request.token_type).value_or(evidence::TokenType::kOidc);
  if (const auto tags = json.optional_object("aws_principal_tag_options")) {
    request.has_tag_options = true;
    request.options.signature_key_ids = parse_key_ids(*tags);
  }
  return request;
}

Endpoint token_endpoint(attest::TokenService& tokens, attest::Turns& turns) {
  return {.path = kTokenPath,
          .methods = {{"GET",
                       [&tokens](const HttpServerRequest& request) {
                         return guarded("failed to retrieve attestation service token: ", get_default(tokens, request));
                       }},
                      {"POST", [&tokens, &turns](const HttpServerRequest& request) {
                         return guarded("failed to retrieve custom attestation service token: ",
                                        post_custom(tokens, turns, request));
                       }}}};
}

}  // namespace teeserver
