#include "verifier/appraisal/appraisal.h"

#include "verifier/appraisal/tpm.h"

namespace verifier {

std::optional<Appraisal> examine(Examination& examination, const evidence::Evidence& evidence, base::ByteView nonce,
                                 const TrustAnchors& anchors, base::WallTime now, Scope scope) {
  return std::visit(
      [&](const evidence::TpmEvidence& of_tpm) { return examine_tpm(examination, of_tpm, nonce, anchors, now, scope); },
      evidence);
}

Appraisal appraise(const evidence::Evidence& evidence, base::ByteView nonce, const TrustAnchors& anchors,
                   base::WallTime now, Scope scope) {
  Examination examination(Examination::Extent::kToFirstFailure);
  return examine(examination, evidence, nonce, anchors, now, scope).value();
}

}  // namespace verifier
