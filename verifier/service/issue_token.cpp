#include "verifier/service/issue_token.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "evidence/image_signature.h"
#include "evidence/quote.h"
#include "evidence/refusal.h"
#include "evidence/request_binding.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/reference/explanation.h"
#include "verifier/service/admission.h"
#include "verifier/tokens/aws_claims.h"
#include "verifier/tokens/claims.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;
using evidence::Reason;
using evidence::Refusal;
using evidence::refuse_as;

constexpr const char* kRequest = "request";

Json partial_error(evidence::StatusCode code, std::string_view message) {
  return {{"code", static_cast<int>(code)}, {"message", message}};
}

/// The name stands in the path; the launcher's library writes it into the body as well.
void expect_same_challenge(const JsonObject& request, const std::string& name) {
  if (request.string_or("challenge", name) != name) {
    throw InvalidInput(request.path() + ".challenge", "is not the challenge of the path");
  }
}

/// Evidence of a kind that this verifier does not appraise, told apart from a request that is malformed.
void expect_supported(const JsonObject& request) {
  if (request.has("sevSnpAttestation")) {
    throw Refusal(Reason::kUnsupportedTechnology,
                  "request.sevSnpAttestation: AMD SEV-SNP is not appraised by this verifier");
  }
  for (const char* field : {"tdCcel", "nvidiaAttestation", "gceShieldedIdentity"}) {
    if (request.has(field)) {
      throw Refusal(Reason::kUnsupportedEvidence,
                    std::string("request.") + field + ": is not appraised by this verifier");
    }
  }
}

evidence::VerifyAttestationRequest parse_request(const ResourcePath& resource, std::string_view body) {
  return refuse_as(Reason::kInvalidRequest, [&] {
    const Json parsed =
        base::parse_json(body, kRequest, {.max_bytes = kMaxRequestBytes, .max_values = kMaxRequestValues});
    const JsonObject json(parsed, kRequest);
    expect_supported(json);
    expect_same_challenge(json, *resource.challenge);
    if (resource.verb == kVerifyAttestation) return evidence::VerifyAttestationRequest::parse(json);
    return evidence::VerifyAttestationRequest{.request = evidence::VerifyRequest::parse(json), .instance = {}};
  });
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
    throw Refusal(Reason::kRequestNotBound,
                  "the evidence was not made for this service and these options (requestBinding)");
  }
  return {nonce.begin(), nonce.end()};
}

/// Of :verifyAttestation: what the client says of itself must be so.
void expect_instance(const evidence::InstanceIdentity& identity, const std::string& instance) {
  const std::string name = "projects/" + std::to_string(identity.project_number) + "/zones/" + identity.zone +
                           "/instances/" + std::to_string(identity.instance_id);
  if (instance.empty() || instance == name) return;
  throw Refusal(Reason::kInstanceMismatch, "the machine is " + name + ", not " + instance);
}

std::vector<std::string> service_accounts(const IdentityTokens& issuers, const std::vector<std::string>& id_tokens,
                                          const std::string& challenge, base::WallTime now, Json& partial_errors) {
  if (issuers.is_configured()) return issuers.emails(id_tokens, challenge, now);
  if (!id_tokens.empty()) {
    partial_errors.push_back(
        partial_error(evidence::StatusCode::kUnimplemented,
                      "gcpCredentials: no issuer of ID tokens is configured, google_service_accounts is left out"));
  }
  return {};
}

/// Those that are good; each of the others is an error that fails nothing.
std::vector<evidence::VerifiedImageSignature> image_signatures(const std::vector<evidence::ImageSignature>& signatures,
                                                               const std::string& image_digest, Json& partial_errors) {
  if (signatures.size() > evidence::kMaxImageSignatures) {
    throw Refusal(Reason::kTooManySignatures,
                  "more than " + std::to_string(evidence::kMaxImageSignatures) + " image signatures");
  }
  std::vector<evidence::VerifiedImageSignature> verified;
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    try {
      verified.push_back(evidence::verify_image_signature(signatures[i], image_digest));
    } catch (const InvalidInput& error) {
      partial_errors.push_back(partial_error(evidence::StatusCode::kInvalidArgument,
                                             "image signature " + std::to_string(i) + ": " + error.what()));
    }
  }
  return verified;
}

std::string sign_token(const Signers& signers, const evidence::TokenOptions& options, const Json& claims,
                       base::WallTime now) {
  std::string token = signers.sign(options.type, claims, now);
  if (is_for_aws(options.type)) expect_length_for_aws(token);
  return token;
}

}  // namespace

IssuedToken issue_token(const Knowledge& knowledge, const Signers& signers, const IdentityTokens& issuers,
                        const ResourcePath& resource, std::string_view body, base::ByteView nonce, base::WallTime now) {
  const Config& config = knowledge.config;
  const bool needs_launch = resource.verb == kVerifyConfidentialSpace;
  const auto [request, instance] = parse_request(resource, body);
  check_options(request.options);

  const base::Bytes qualifying_data = expected_qualifying_data(config, request, nonce);
  Examination examination(Examination::Extent::kToFirstFailure);
  const Appraisal appraisal = examine(examination, request.evidence, qualifying_data, knowledge.anchors, now,
                                      needs_launch ? Scope::kLaunch : Scope::kMachine)
                                  .value();
  examine_admission(examination, knowledge, appraisal, &resource);
  expect_instance(appraisal.identity, instance);

  IssuedToken issued;
  Json partial_errors = Json::array();
  TokenSubject subject{.appraisal = appraisal};
  subject.service_accounts = service_accounts(issuers, request.id_tokens, *resource.challenge, now, partial_errors);
  if (appraisal.launch) {
    // Of a machine that has launched nothing the image says nothing: what runs there is not what the image is for.
    const Explanation explanation = explain(knowledge.reference_values, appraisal.machine, now);
    if (explanation.standing == Standing::kMatched) subject.image = explanation.entry;
    issued.explanation = explanation.to_json();
    issued.explanation_sentence = explanation.sentence();
    subject.signatures = image_signatures(request.image_signatures, appraisal.launch->image_digest, partial_errors);
  }

  const TokenContext context{config.issuer, now, config.keys.token_lifetime};
  issued.identity = appraisal.identity;
  issued.attestation_key_sha256 = appraisal.attestation_key_sha256;
  if (appraisal.launch) issued.image_digest = appraisal.launch->image_digest;
  issued.claims = is_for_aws(request.options.type) ? aws_claims(subject, request.options, context)
                                                   : default_claims(subject, request.options, context);
  issued.response[needs_launch ? "attestationToken" : "oidcClaimsToken"] =
      sign_token(signers, request.options, issued.claims, now);
  if (!partial_errors.empty()) issued.response["partialErrors"] = std::move(partial_errors);
  return issued;
}

}  // namespace verifier
