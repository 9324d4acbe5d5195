#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/evidence.h"
#include "measure/boot_log.h"
#include "verifier/appraisal/ak_certificate.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/appraisal/examination.h"

namespace verifier {

/// Appraises a TPM's evidence. All of it must hold: the AK certificate's chain, every quote, the boot log in every bank
/// that it speaks of and in at least one stronger than SHA-1, the launch log in every quoted bank. Nothing when a check
/// has failed, of an examination that goes on then.
std::optional<Appraisal> examine_tpm(Examination& examination, const evidence::TpmEvidence& evidence,
                                     base::ByteView nonce, const TrustAnchors& anchors, base::WallTime now,
                                     Scope scope);

/// The machine that wrote a boot log, as it is when its TPM holds what the log makes, and zeros in what the log does
/// not speak of. For people who have no quotes: nothing of it is proven. Throws InvalidInput.
TpmMachine unproven_machine(measure::BootLog log);

}  // namespace verifier
