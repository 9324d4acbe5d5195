#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attest/roots/tpm_root.h"
#include "attest/token.h"
#include "attest/verifiers/gca_verifier.h"
#include "base/asio.h"
#include "base/clock.h"

namespace attest {

/// ID tokens of the machine's principals for an audience; none when it has no principal.
using IdTokenSource = std::function<base::Awaitable<std::vector<std::string>>(std::string)>;

/// One whole attestation: challenge, ID tokens and quotes side by side, verification, a token.
class Attestation {
 public:
  /// Both must outlive this.
  Attestation(TpmRoot& root, GcaVerifier& verifier, IdTokenSource id_tokens, base::Clock clock);

  /// Throws evidence::StatusError, or Error when the evidence can't be collected.
  base::Awaitable<Token> token(evidence::TokenOptions options);

 private:
  TpmRoot& root_;
  GcaVerifier& verifier_;
  IdTokenSource id_tokens_;
  base::Clock clock_;
};

}  // namespace attest
