#include "csctl/commands/evidence_appraisal.h"

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/quote.h"
#include "evidence/vm_attestation.h"
#include "verifier/appraisal/tpm.h"
#include "verifier/service/admission.h"
#include "verifier/service/resource_name.h"

namespace csctl {
namespace {

using base::Bytes;

/// What the quotes are to be made over, as far as anybody knows.
struct Freshness {
  Bytes expected;
  bool is_known = false;
};

Bytes quoted_data(const evidence::TpmEvidence& evidence) {
  if (evidence.quotes.empty()) return {};
  try {
    return evidence::parse_quote_info(evidence.quotes.front().attest).qualifying_data;
  } catch (const base::InvalidInput&) {
    return {};  // the examination tells of it
  }
}

Freshness freshness_of(const std::string& nonce, const Material& material) {
  if (!nonce.empty()) return {base::hex_decode(nonce, "--nonce"), true};
  if (material.workload_challenge) return {evidence::evidence_nonce(*material.workload_challenge), true};
  return {quoted_data(*material.evidence()), false};
}

std::optional<verifier::ResourcePath> resource_of(const Material& material) {
  if (!material.challenge) return std::nullopt;
  auto resource = verifier::parse_resource_path(*material.challenge);
  if (resource && !resource->location) resource.reset();
  return resource;
}

}  // namespace

EvidenceAppraisal appraise_evidence(const Material& material, const verifier::Knowledge& knowledge, base::WallTime at,
                                    const std::string& nonce) {
  if (material.evidence() == nullptr) throw base::InvalidInput(material.name, "is a log, and no evidence");
  const Freshness freshness = freshness_of(nonce, material);
  const auto resource = resource_of(material);
  EvidenceAppraisal appraisal;
  appraisal.is_freshness_known = freshness.is_known;
  appraisal.machine = verifier::examine(appraisal.examination, material.request->evidence, freshness.expected,
                                        knowledge.anchors, at, verifier::Scope::kMachine);
  if (!appraisal.machine) return appraisal;
  verifier::examine_admission(appraisal.examination, knowledge, *appraisal.machine, resource ? &*resource : nullptr);
  appraisal.image = verifier::explain(knowledge.reference_values, appraisal.machine->machine, at);
  return appraisal;
}

verifier::TpmMachine unproven_machine_of(const Logs& logs) {
  if (!logs.boot) throw base::InvalidInput(logs.material.name, "has no boot event log");
  try {
    return verifier::unproven_machine(*logs.boot);
  } catch (const base::InvalidInput& error) {
    throw error.in_context(logs.material.name);
  }
}

}  // namespace csctl
