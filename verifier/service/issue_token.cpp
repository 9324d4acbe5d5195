#include "verifier/service/issue_token.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "evidence/quote.h"
#include "evidence/request_binding.h"
#include "evidence/status.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/tokens/claims.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr const char* kRequest = "request";

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

/// What the first quote says that it was made for; nothing when it can't be read. Nothing is believed of it yet: the
/// appraisal reads all quotes, and compares them with what comes of this.
base::Bytes quoted_qualifying_data(const evidence::TpmEvidence& tpm) {
  if (tpm.quotes.empty()) return {};
  try {
    return evidence::parse_quote_info(tpm.quotes.front().attest).qualifying_data;
  } catch (const InvalidInput&) {
    return {};
  }
}

/// The nonce, or what binds it to this service and to what is asked for beside the evidence.
base::Bytes expected_qualifying_data(const Config& config, const evidence::VerifyRequest& request,
                                     base::ByteView nonce) {
  const base::Bytes quoted =
      std::visit([](const auto& evidence) { return quoted_qualifying_data(evidence); }, request.evidence);
  for (const std::string& endpoint : config.endpoints) {
    base::Bytes bound = evidence::bound_qualifying_data(nonce, endpoint, request.options);
    if (quoted == bound) return bound;
  }
  if (config.require_request_binding || evidence::is_bound(quoted)) {
    throw evidence::StatusError(evidence::StatusCode::kPermissionDenied,
                                "the evidence was not made for this service and these options (requestBinding)");
  }
  return {nonce.begin(), nonce.end()};
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

}  // namespace

IssuedToken issue_token(const Knowledge& knowledge, const ResourcePath& resource, std::string_view body,
                        base::ByteView nonce, base::WallTime now) {
  const Config& config = knowledge.config;
  const Json parsed =
      base::parse_json(body, kRequest, {.max_bytes = kMaxRequestBytes, .max_values = kMaxRequestValues});
  const JsonObject json(parsed, kRequest);
  const auto request = evidence::VerifyRequest::parse(json);
  expect_same_challenge(json, *resource.challenge);
  check_options(request.options);

  const base::Bytes qualifying_data = expected_qualifying_data(config, request, nonce);
  const Appraisal appraisal = appraise(request.evidence, qualifying_data, knowledge.anchors, now);
  expect_project(appraisal.identity, resource.project);
  if (!config.locations.empty()) expect_region(appraisal.identity, *resource.location);
  if (config.require_secure_boot && !appraisal.secure_boot) {
    throw evidence::StatusError(evidence::StatusCode::kPermissionDenied, "the machine was started without Secure Boot");
  }

  Json partial_errors = Json::array();
  TokenContext context{config.issuer, now, config.token_lifetime, std::nullopt};
  if (knowledge.identity_tokens.is_configured()) {
    context.service_accounts = knowledge.identity_tokens.emails(request.id_tokens, *resource.challenge, now);
  } else if (!request.id_tokens.empty()) {
    partial_errors.push_back(
        partial_error(evidence::StatusCode::kUnimplemented,
                      "gcpCredentials: no issuer of ID tokens is configured, google_service_accounts is left out"));
  }
  if (has_image_signatures(json)) {
    partial_errors.push_back(
        partial_error(evidence::StatusCode::kUnimplemented, "signedEntities: image signatures are not verified"));
  }
  const ReferenceValue* image = knowledge.reference_values.find(appraisal.machine);
  IssuedToken issued;
  issued.claims = make_claims(appraisal, image, request.options, context);
  issued.response["attestationToken"] = knowledge.oidc_signer.sign(issued.claims);
  if (!partial_errors.empty()) issued.response["partialErrors"] = std::move(partial_errors);
  return issued;
}

}  // namespace verifier
