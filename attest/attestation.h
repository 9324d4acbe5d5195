#pragma once

#include <functional>
#include <optional>
#include <string>

#include "attest/attester.h"
#include "attest/token.h"
#include "attest/verifier_client.h"
#include "base/asio.h"
#include "base/clock.h"

namespace attest {

/// An ID token of the machine's principal for an audience, or nothing when it has none.
using IdTokenSource = std::function<base::Awaitable<std::optional<std::string>>(std::string)>;

/// One whole attestation: challenge, ID token and quotes side by side, verification, a token.
class Attestation {
 public:
  /// Both must outlive this.
  Attestation(Attester& attester, VerifierClient& verifier, IdTokenSource id_tokens, base::Clock clock);

  /// Throws VerifierError, or Error when the evidence can't be collected.
  base::Awaitable<Token> token(evidence::TokenOptions options);

 private:
  Attester& attester_;
  VerifierClient& verifier_;
  IdTokenSource id_tokens_;
  base::Clock clock_;
};

}  // namespace attest
