#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/evidence.h"
#include "evidence/instance_identity.h"
#include "measure/boot_log.h"
#include "measure/hash.h"
#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/boot_state.h"
#include "verifier/appraisal/examination.h"
#include "verifier/appraisal/launch_state.h"

namespace verifier {

/// How a machine with a TPM was booted: what reference values are compared with.
struct TpmMachine {
  BootState boot;
  /// Quoted values in every SHA-2 bank in which the boot log replays. Never empty.
  std::map<measure::HashAlgorithm, measure::PcrValues> pcrs;
  std::map<measure::HashAlgorithm, base::Bytes> boot_manager_pcrs;  ///< in each of these banks: see BootManager::pcr
  measure::BootLog log = {};                                        ///< which replays to them; for people
};

using Machine = std::variant<TpmMachine>;

/// What a machine must have done for its evidence to be good.
enum class Scope {
  kLaunch,   ///< boot, and launch a container
  kMachine,  ///< boot; a launch counts if evidence of one is there
};

/// What evidence proves, of whatever kind it is.
struct Appraisal {
  evidence::InstanceIdentity identity;
  std::string attestation_key_sha256;  ///< see public_key_sha256
  std::string hwmodel;                 ///< the claim
  bool secure_boot = false;            ///< the claim
  std::optional<LaunchState> launch;
  Machine machine;
};

/// Appraises evidence (RFC 9334, section 3): makes every check of it. Nothing when one has failed.
std::optional<Appraisal> examine(Examination& examination, const evidence::Evidence& evidence, base::ByteView nonce,
                                 const TrustAnchors& anchors, base::WallTime now, Scope scope);

/// The same to the first failure. Throws Refusal that names it.
Appraisal appraise(const evidence::Evidence& evidence, base::ByteView nonce, const TrustAnchors& anchors,
                   base::WallTime now, Scope scope = Scope::kLaunch);

}  // namespace verifier
