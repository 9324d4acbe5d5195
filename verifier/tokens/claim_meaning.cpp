#include "verifier/tokens/claim_meaning.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace verifier {
namespace {

struct ClaimMeaning {
  std::string_view path;
  std::string_view meaning;
  std::string_view source;
};

// docs/claims.md has the same claims and sources.
constexpr std::array kMeanings = {
    ClaimMeaning{"iss", "which service checked the machine, by whose keys the token is verified",
                 "configuration, issuer"},
    ClaimMeaning{"aud", "for whom the token is: anybody else has to refuse it",
                 "the request; https://sts.googleapis.com without one"},
    ClaimMeaning{"sub", "the machine, by the name in its attestation key's certificate",
                 "attestation key certificate: the instance's selfLink, by name"},
    ClaimMeaning{"iat", "when the evidence was checked", "when the evidence was appraised, seconds since 1970"},
    ClaimMeaning{"nbf", "from when on the token counts", "the same as iat"},
    ClaimMeaning{"exp", "until when the token counts", "iat and the lifetime"},
    ClaimMeaning{"jti", "which token it is", "the service"},
    ClaimMeaning{"eat_nonce", "that the workload has asked for it with this nonce", "the request"},
    ClaimMeaning{"eat_profile", "of which kind the claims are", "constant"},
    ClaimMeaning{"secboot", "whether Secure Boot was on: then only signed programs were started",
                 "PCR 7 and the boot log"},
    ClaimMeaning{"oemid", "nothing of the machine: it is the same in every token",
                 "constant: Google's enterprise number"},
    ClaimMeaning{
        "hwmodel", "of which kind the machine is, and so what protects its memory",
        "on Google Cloud the firmware's NonHostInfo event; elsewhere what the operator calls machines of that root"},
    ClaimMeaning{"swname", "CONFIDENTIAL_SPACE: it runs an image that the service knows; GCE: any other",
                 "whether a reference value matches"},
    ClaimMeaning{"swversion", "of which version the image is", "the reference value"},
    ClaimMeaning{"dbgstat",
                 "disabled-since-boot: nobody, its operator included, can look into it; enabled: somebody may",
                 "the reference value's hardened"},
    ClaimMeaning{"google_service_accounts", "as which service accounts it may act", "verified ID tokens"},
    ClaimMeaning{"submods.confidential_space.support_attributes",
                 "whether whoever publishes the image still maintains it", "the reference value"},
    ClaimMeaning{"submods.confidential_space.monitoring_enabled", "whether the operator sees how much memory is in use",
                 "launch log, MemoryMonitor"},
    ClaimMeaning{"submods.confidential_space.reference_value",
                 "which entry of the service's the image matched, for audits",
                 "the reference value that matched, for audits"},
    ClaimMeaning{"submods.container.image_reference",
                 "by which name the image was pulled: the name proves nothing of it", "launch log, ImageRef"},
    ClaimMeaning{"submods.container.image_digest", "exactly which image runs", "launch log, ImageDigest"},
    ClaimMeaning{"submods.container.image_id", "exactly which configuration of the image runs", "launch log, ImageID"},
    ClaimMeaning{"submods.container.restart_policy", "what happens when the workload ends",
                 "launch log, RestartPolicy"},
    ClaimMeaning{"submods.container.args", "with which command and arguments it runs", "launch log, Arg"},
    ClaimMeaning{"submods.container.env", "with which environment it runs", "launch log, EnvVar"},
    ClaimMeaning{"submods.container.cmd_override", "what of the arguments the operator has put in the image's place",
                 "launch log, OverrideArg"},
    ClaimMeaning{"submods.container.env_override", "which variables the operator has set", "launch log, OverrideEnv"},
    ClaimMeaning{"submods.container.image_signatures", "which keys have signed the image; anybody can make a key",
                 "signatures that verify"},
    ClaimMeaning{"submods.gce.zone", "where the machine is", "attestation key certificate"},
    ClaimMeaning{"submods.gce.project_id", "whose machine it is", "attestation key certificate"},
    ClaimMeaning{"submods.gce.project_number", "whose machine it is, by number", "attestation key certificate"},
    ClaimMeaning{"submods.gce.instance_name", "which machine it is", "attestation key certificate"},
    ClaimMeaning{"submods.gce.instance_id", "which machine it is: no other has the number",
                 "attestation key certificate"},
    ClaimMeaning{"https://aws.amazon.com/tags", "what AWS sees of it: session tags, on which role policies decide",
                 "the claims that it stands for"},
};

/// Whether `path` is the claim, or a member or element of it.
bool is_within(std::string_view path, std::string_view claim) {
  if (!path.starts_with(claim)) return false;
  return path.size() == claim.size() || path[claim.size()] == '.' || path[claim.size()] == '[';
}

const ClaimMeaning* find_claim(std::string_view path) {
  const auto found =
      std::ranges::find_if(kMeanings, [&](const ClaimMeaning& claim) { return is_within(path, claim.path); });
  return found == kMeanings.end() ? nullptr : &*found;
}

}  // namespace

std::string_view meaning_of_claim(std::string_view path) {
  const ClaimMeaning* claim = find_claim(path);
  return claim == nullptr ? std::string_view() : claim->meaning;
}

std::string_view source_of_claim(std::string_view path) {
  const ClaimMeaning* claim = find_claim(path);
  return claim == nullptr ? std::string_view() : claim->source;
}

}  // namespace verifier
