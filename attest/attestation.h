#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attest/roots/tpm_root.h"
#include "attest/token.h"
#include "attest/verifiers/gca_verifier.h"
#include "base/asio.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/evidence.h"
#include "evidence/image_signature.h"
#include "evidence/messages.h"

namespace attest {

/// ID tokens of the machine's principals for an audience; none when it has no principal.
using IdTokenSource = std::function<base::Awaitable<std::vector<std::string>>(std::string)>;

/// Signatures of the image that runs, as far as they are known; looks for them anew, or with `refresh` false when that
/// has never been done. Throws nothing but a cancellation: a token may do without.
using ImageSignatureSource = std::function<base::Awaitable<std::vector<evidence::ImageSignature>>(bool refresh)>;

/// One whole attestation: challenge, ID tokens and quotes side by side, verification, a token. Or only the evidence,
/// for whoever checks it himself.
class Attestation {
 public:
  /// Both must outlive this.
  Attestation(TpmRoot& root, GcaVerifier& verifier, IdTokenSource id_tokens, ImageSignatureSource signatures,
              base::Clock clock);

  /// With the default options the image's signatures are looked for anew. Throws evidence::StatusError, or Error when
  /// the evidence can't be collected.
  base::Awaitable<Token> token(evidence::TokenOptions options);

  /// Evidence over evidence_nonce(challenge). Only with a verifier whose nonces are quoted in bound form: another one
  /// could have quotes made over any bytes, and so pass for the workload that asked. Throws StatusError
  /// FAILED_PRECONDITION with another verifier.
  base::Awaitable<evidence::TpmEvidence> evidence_for(base::Bytes challenge);

 private:
  base::Awaitable<evidence::Challenge> create_challenge();

  TpmRoot& root_;
  GcaVerifier& verifier_;
  IdTokenSource id_tokens_;
  ImageSignatureSource signatures_;
  base::Clock clock_;
  std::optional<bool> nonces_are_bound_;  ///< once there has been a challenge, and from then on
};

}  // namespace attest
