#include "verifier/tokens/claims.h"

#include "evidence/refusal.h"

namespace verifier {
namespace {

using base::Json;
using evidence::Reason;
using evidence::Refusal;
using evidence::TokenOptions;

constexpr std::string_view kEatProfile =
    "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims";
constexpr std::string_view kInstanceUrl = "https://www.googleapis.com/compute/v1/projects/";
constexpr int kGooglePrivateEnterpriseNumber = 11129;

void check_nonces(const std::vector<std::string>& nonces) {
  if (nonces.size() > kMaxNonces) {
    throw Refusal(Reason::kInvalidOptions,
                  "options.nonce: at most " + std::to_string(kMaxNonces) + " nonces are taken");
  }
  for (const std::string& nonce : nonces) {
    if (nonce.size() < kMinNonceBytes || nonce.size() > kMaxNonceBytes) {
      throw Refusal(Reason::kInvalidOptions, "options.nonce: a nonce has " + std::to_string(kMinNonceBytes) + " to " +
                                                 std::to_string(kMaxNonceBytes) + " bytes");
    }
  }
}

/// The instance's selfLink.
std::string subject_of(const evidence::InstanceIdentity& identity) {
  return std::string(kInstanceUrl) + identity.project_id + "/zones/" + identity.zone + "/instances/" +
         identity.instance_name;
}

Json signature_claims(const std::vector<evidence::VerifiedImageSignature>& signatures) {
  Json list = Json::array();
  for (const auto& [key_id, signature, algorithm] : signatures) {
    list.push_back({{"key_id", key_id}, {"signature", signature}, {"signature_algorithm", algorithm}});
  }
  return list;
}

/// What was not overridden is said, too: a condition on a claim that is absent is an error, and so denied.
Json container_claims(const LaunchState& launch, const std::vector<evidence::VerifiedImageSignature>& signatures) {
  return {{"image_reference", launch.image_reference},
          {"image_digest", launch.image_digest},
          {"restart_policy", launch.restart_policy},
          {"image_id", launch.image_id},
          {"args", launch.args},
          {"env", launch.env},
          {"cmd_override", launch.override_args},
          {"env_override", launch.override_env},
          {"image_signatures", signature_claims(signatures)}};
}

Json confidential_space_claims(const LaunchState& launch, const ReferenceValue* image) {
  Json claims = {{"monitoring_enabled", {{"memory", launch.memory_monitoring}}}};
  if (image == nullptr) return claims;
  if (!image->support_attributes.empty()) claims["support_attributes"] = image->support_attributes;
  Json& entry = claims["reference_value"] = {{"name", image->name}};
  if (image->publication) {
    entry["publisher"] = image->publication->publisher;
    entry["version"] = image->publication->version;
  }
  return claims;
}

Json instance_claims(const evidence::InstanceIdentity& identity) {
  return {{"zone", identity.zone},
          {"project_id", identity.project_id},
          {"project_number", std::to_string(identity.project_number)},
          {"instance_name", identity.instance_name},
          {"instance_id", std::to_string(identity.instance_id)}};
}

void add_software(Json& claims, const ReferenceValue* image) {
  claims["swname"] = image != nullptr ? "CONFIDENTIAL_SPACE" : "GCE";
  claims["dbgstat"] = image != nullptr && image->hardened ? "disabled-since-boot" : "enabled";
  if (image != nullptr) claims["swversion"] = Json::array({std::to_string(image->swversion)});
}

void add_nonces(Json& claims, const std::vector<std::string>& nonces) {
  if (nonces.size() == 1) claims["eat_nonce"] = nonces.front();
  if (nonces.size() > 1) claims["eat_nonce"] = nonces;
}

}  // namespace

void check_options(const TokenOptions& options) {
  if (options.audience.size() > kMaxAudienceBytes) {
    throw Refusal(Reason::kInvalidOptions,
                  "options.audience: longer than " + std::to_string(kMaxAudienceBytes) + " bytes");
  }
  if (options.audience.empty() && !options.nonces.empty()) {
    throw Refusal(Reason::kInvalidOptions, "options.audience: nonces need an audience");
  }
  check_nonces(options.nonces);
}

Json common_claims(const TokenSubject& subject, const TokenOptions& options, const TokenContext& context) {
  const std::int64_t now = base::to_unix_seconds(context.now);
  Json claims = {{"aud", options.audience.empty() ? std::string(evidence::kDefaultAudience) : options.audience},
                 {"iss", context.issuer},
                 {"sub", subject_of(subject.appraisal.identity)},
                 {"iat", now},
                 {"nbf", now},
                 {"exp", now + context.lifetime.count()},
                 {"secboot", subject.appraisal.secure_boot},
                 {"oemid", kGooglePrivateEnterpriseNumber},
                 {"hwmodel", subject.appraisal.hwmodel}};
  add_software(claims, subject.image);
  add_nonces(claims, options.nonces);
  return claims;
}

Json launch_claims(const LaunchState& launch, const std::vector<evidence::VerifiedImageSignature>& signatures,
                   const ReferenceValue* image) {
  return {{"container", container_claims(launch, signatures)},
          {"confidential_space", confidential_space_claims(launch, image)}};
}

Json default_claims(const TokenSubject& subject, const TokenOptions& options, const TokenContext& context) {
  Json claims = common_claims(subject, options, context);
  claims["submods"]["gce"] = instance_claims(subject.appraisal.identity);
  if (const auto& launch = subject.appraisal.launch) {
    claims["eat_profile"] = kEatProfile;
    claims["submods"].update(launch_claims(*launch, subject.signatures, subject.image));
  }
  if (!subject.service_accounts.empty()) claims["google_service_accounts"] = subject.service_accounts;
  return claims;
}

}  // namespace verifier
