#pragma once

#include <map>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/evidence.h"
#include "measure/hash.h"
#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/appraisal.h"

namespace verifier {

/// Appraises a TPM's evidence. All of it must hold: the AK certificate's chain, every quote, the boot log in every bank
/// that it speaks of and in at least one stronger than SHA-1, the launch log in every quoted bank. Throws Refusal that
/// names what failed.
Appraisal appraise_tpm(const evidence::TpmEvidence& evidence, base::ByteView nonce, const TrustAnchors& anchors,
                       base::WallTime now, Scope scope);

}  // namespace verifier
