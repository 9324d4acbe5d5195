#include "verifier/tokens/claim_meaning.h"

#include <array>
#include <cstddef>

namespace verifier {
namespace {

struct ClaimMeaning {
  std::string_view path;
  std::string_view meaning;
};

// docs/claims.md has the same claims, with their sources.
constexpr std::array kMeanings = {
    ClaimMeaning{"iss", "which service checked the machine, by whose keys the token is verified"},
    ClaimMeaning{"aud", "for whom the token is: anybody else has to refuse it"},
    ClaimMeaning{"sub", "the machine, by the name in its attestation key's certificate"},
    ClaimMeaning{"iat", "when the evidence was checked"},
    ClaimMeaning{"nbf", "from when on the token counts"},
    ClaimMeaning{"exp", "until when the token counts"},
    ClaimMeaning{"jti", "which token it is"},
    ClaimMeaning{"eat_nonce", "that the workload has asked for it with this nonce"},
    ClaimMeaning{"eat_profile", "of which kind the claims are"},
    ClaimMeaning{"secboot", "whether Secure Boot was on: then only signed programs were started"},
    ClaimMeaning{"oemid", "nothing of the machine: it is the same in every token"},
    ClaimMeaning{"hwmodel", "of which kind the machine is, and so what protects its memory"},
    ClaimMeaning{"swname", "CONFIDENTIAL_SPACE: it runs an image that the service knows; GCE: any other"},
    ClaimMeaning{"swversion", "of which version the image is"},
    ClaimMeaning{"dbgstat",
                 "disabled-since-boot: nobody, its operator included, can look into it; enabled: somebody may"},
    ClaimMeaning{"google_service_accounts", "as which service accounts it may act"},
    ClaimMeaning{"submods.confidential_space.support_attributes",
                 "whether whoever publishes the image still maintains it"},
    ClaimMeaning{"submods.confidential_space.monitoring_enabled",
                 "whether the operator sees how much memory is in use"},
    ClaimMeaning{"submods.confidential_space.reference_value",
                 "which entry of the service's the image matched, for audits"},
    ClaimMeaning{"submods.container.image_reference",
                 "by which name the image was pulled: the name proves nothing of it"},
    ClaimMeaning{"submods.container.image_digest", "exactly which image runs"},
    ClaimMeaning{"submods.container.image_id", "exactly which configuration of the image runs"},
    ClaimMeaning{"submods.container.restart_policy", "what happens when the workload ends"},
    ClaimMeaning{"submods.container.args", "with which command and arguments it runs"},
    ClaimMeaning{"submods.container.env", "with which environment it runs"},
    ClaimMeaning{"submods.container.cmd_override", "what of the arguments the operator has put in the image's place"},
    ClaimMeaning{"submods.container.env_override", "which variables the operator has set"},
    ClaimMeaning{"submods.container.image_signatures", "which keys have signed the image; anybody can make a key"},
    ClaimMeaning{"submods.gce.zone", "where the machine is"},
    ClaimMeaning{"submods.gce.project_id", "whose machine it is"},
    ClaimMeaning{"submods.gce.project_number", "whose machine it is, by number"},
    ClaimMeaning{"submods.gce.instance_name", "which machine it is"},
    ClaimMeaning{"submods.gce.instance_id", "which machine it is: no other has the number"},
    ClaimMeaning{"https://aws.amazon.com/tags", "what AWS sees of it: session tags, on which role policies decide"},
};

/// Whether `path` is the claim, or a member or element of it.
bool is_within(std::string_view path, std::string_view claim) {
  if (!path.starts_with(claim)) return false;
  return path.size() == claim.size() || path[claim.size()] == '.' || path[claim.size()] == '[';
}

}  // namespace

std::string_view meaning_of_claim(std::string_view path) {
  for (const auto& [claim, meaning] : kMeanings) {
    if (is_within(path, claim)) return meaning;
  }
  return {};
}

}  // namespace verifier
