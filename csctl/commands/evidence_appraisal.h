#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "csctl/input/logs.h"
#include "csctl/input/material.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/appraisal/examination.h"
#include "verifier/reference/explanation.h"
#include "verifier/service/knowledge.h"

namespace csctl {

/// What a verifier would make of evidence: all checks, also those behind one that fails.
struct EvidenceAppraisal {
  verifier::Examination examination{verifier::Examination::Extent::kAll};
  bool is_freshness_known = false;  ///< whether somebody said what the quotes must be made over
  std::optional<verifier::Appraisal> machine;
  std::optional<verifier::Explanation> image;  ///< its entry is of the knowledge
};

/// `nonce` is what the quotes must be made over, in hexadecimal; empty: nobody knows. Of evidence from a workload's
/// socket it is known. Throws InvalidInput.
EvidenceAppraisal appraise_evidence(const Material& material, const verifier::Knowledge& knowledge, base::WallTime at,
                                    const std::string& nonce);

/// The machine that wrote a boot log, of which nothing is proven. Throws InvalidInput that names what was handed over.
verifier::TpmMachine unproven_machine_of(const Logs& logs);

}  // namespace csctl
