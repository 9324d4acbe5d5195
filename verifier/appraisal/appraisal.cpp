#include "verifier/appraisal/appraisal.h"

#include "verifier/appraisal/tpm.h"

namespace verifier {

Appraisal appraise(const evidence::Evidence& evidence, base::ByteView nonce, const TrustAnchors& anchors,
                   base::WallTime now, Scope scope) {
  return std::visit(
      [&](const evidence::TpmEvidence& of_tpm) { return appraise_tpm(of_tpm, nonce, anchors, now, scope); }, evidence);
}

}  // namespace verifier
