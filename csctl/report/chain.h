#pragma once

#include <vector>

#include "base/json.h"
#include "csctl/input/log_differences.h"
#include "csctl/input/logs.h"
#include "csctl/report/report.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/appraisal/examination.h"
#include "verifier/reference/explanation.h"

namespace csctl {

// The chain from the TPM over firmware, keys, kernel, root and launcher to the container, and the token last where
// there is one. Which link a register, a field of an entry or a check belongs to is said once, in chain.cpp.

/// What a verifier makes of evidence.
struct MachineFindings {
  const verifier::Examination* examination = nullptr;  ///< nothing: there are only logs, or nobody to believe
  const verifier::Appraisal* appraisal = nullptr;      ///< nothing: a check has failed
  const verifier::Explanation* explanation = nullptr;  ///< nothing: there is nothing to compare with
};
std::vector<Link> chain_of_machine(const MachineFindings& findings, const Logs& logs);

/// What two machines' logs have not in common.
std::vector<Link> chain_of_differences(const std::vector<EventDifference>& differences, const Logs& expected,
                                       const Logs& found);

/// What a token says. `signature` is whether it is genuine, where that was looked at.
std::vector<Link> chain_of_token(const base::Json& claims, State signature);

/// The link of the token alone.
Link token_link(const base::Json& claims, State signature);

/// A claim by its place (JSON pointer, RFC 6901): a text as it is, anything else as JSON; empty: it is not there.
std::string claim_at(const base::Json& claims, const std::string& pointer);

}  // namespace csctl
