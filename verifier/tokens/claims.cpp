#include "verifier/tokens/claims.h"

#include "evidence/status.h"

namespace verifier {
namespace {

using base::Json;
using evidence::TokenOptions;

constexpr std::string_view kEatProfile =
    "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims";
constexpr std::string_view kInstanceUrl = "https://www.googleapis.com/compute/v1/projects/";
constexpr int kGooglePrivateEnterpriseNumber = 11129;

void check_nonces(const std::vector<std::string>& nonces) {
  if (nonces.size() > kMaxNonces) {
    throw evidence::StatusError(evidence::StatusCode::kInvalidArgument,
                                "options.nonce: at most " + std::to_string(kMaxNonces) + " nonces are taken");
  }
  for (const std::string& nonce : nonces) {
    if (nonce.size() < kMinNonceBytes || nonce.size() > kMaxNonceBytes) {
      throw evidence::StatusError(evidence::StatusCode::kInvalidArgument,
                                  "options.nonce: a nonce has " + std::to_string(kMinNonceBytes) + " to " +
                                      std::to_string(kMaxNonceBytes) + " bytes");
    }
  }
}

/// The instance's selfLink.
std::string subject_of(const evidence::InstanceIdentity& identity) {
  return std::string(kInstanceUrl) + identity.project_id + "/zones/" + identity.zone + "/instances/" +
         identity.instance_name;
}

Json container_claims(const LaunchState& launch) {
  Json container = {{"image_reference", launch.image_reference},
                    {"image_digest", launch.image_digest},
                    {"restart_policy", launch.restart_policy},
                    {"image_id", launch.image_id},
                    {"args", launch.args},
                    {"env", launch.env}};
  if (!launch.override_args.empty()) container["cmd_override"] = launch.override_args;
  if (!launch.override_env.empty()) container["env_override"] = launch.override_env;
  return container;
}

Json instance_claims(const evidence::InstanceIdentity& identity) {
  return {{"zone", identity.zone},
          {"project_id", identity.project_id},
          {"project_number", std::to_string(identity.project_number)},
          {"instance_name", identity.instance_name},
          {"instance_id", std::to_string(identity.instance_id)}};
}

Json submodules(const Appraisal& appraisal, const ReferenceValue* image) {
  Json modules = {{"container", container_claims(appraisal.launch)},
                  {"gce", instance_claims(appraisal.identity)},
                  {"confidential_space", {{"monitoring_enabled", {{"memory", appraisal.launch.memory_monitoring}}}}}};
  if (image != nullptr && !image->support_attributes.empty()) {
    modules["confidential_space"]["support_attributes"] = image->support_attributes;
  }
  if (appraisal.launch.gpu_cc_mode) modules["nvidia_gpu"]["cc_mode"] = *appraisal.launch.gpu_cc_mode;
  return modules;
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
    throw evidence::StatusError(evidence::StatusCode::kInvalidArgument,
                                "options.audience: longer than " + std::to_string(kMaxAudienceBytes) + " bytes");
  }
  if (options.audience.empty() && !options.nonces.empty()) {
    throw evidence::StatusError(evidence::StatusCode::kInvalidArgument, "options.audience: nonces need an audience");
  }
  check_nonces(options.nonces);
  if (options.type != evidence::TokenType::kOidc) {
    throw evidence::StatusError(
        evidence::StatusCode::kUnimplemented,
        "options: this verifier issues OIDC tokens, not " + std::string(name_of(options.type)) + " tokens");
  }
}

Json make_claims(const Appraisal& appraisal, const ReferenceValue* image, const TokenOptions& options,
                 const TokenContext& context) {
  const std::int64_t now = base::to_unix_seconds(context.now);
  Json claims = {{"aud", options.audience.empty() ? std::string(evidence::kDefaultAudience) : options.audience},
                 {"iss", context.issuer},
                 {"sub", subject_of(appraisal.identity)},
                 {"iat", now},
                 {"nbf", now},
                 {"exp", now + context.lifetime.count()},
                 {"eat_profile", kEatProfile},
                 {"secboot", appraisal.secure_boot},
                 {"oemid", kGooglePrivateEnterpriseNumber},
                 {"hwmodel", appraisal.hwmodel},
                 {"submods", submodules(appraisal, image)}};
  add_software(claims, image);
  add_nonces(claims, options.nonces);
  if (context.service_accounts && !context.service_accounts->empty()) {
    claims["google_service_accounts"] = *context.service_accounts;
  }
  return claims;
}

}  // namespace verifier
