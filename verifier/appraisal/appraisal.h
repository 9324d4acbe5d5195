#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/evidence.h"
#include "evidence/instance_identity.h"
#include "measure/hash.h"
#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/boot_state.h"
#include "verifier/appraisal/launch_state.h"

namespace verifier {

/// What evidence proves.
struct Appraisal {
  evidence::InstanceIdentity identity;
  std::string hwmodel;  ///< the claim
  BootState boot;
  LaunchState launch;
  /// Quoted values in every SHA-2 bank in which the boot log replays. Never empty.
  std::map<measure::HashAlgorithm, measure::PcrValues> pcrs;
  std::map<measure::HashAlgorithm, base::Bytes> boot_manager_pcrs;  ///< in each of these banks: see BootManager::pcr
};

/// Appraises a TPM's evidence (RFC 9334, section 3). All of it must hold: the AK certificate's chain, every quote, the
/// boot log in every bank that it speaks of and in at least one stronger than SHA-1, the launch log in every quoted
/// bank. Throws InvalidInput that names what failed.
Appraisal appraise(const evidence::Evidence& evidence, base::ByteView nonce, const TrustAnchors& anchors,
                   base::WallTime now);

}  // namespace verifier
