#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "attest/attestation.h"
#include "attest/roots/tpm_root.h"
#include "attest/token_file.h"
#include "attest/token_service.h"
#include "attest/turns.h"
#include "attest/verifiers/gca_verifier.h"
#include "base/asio.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace attest {

/// All that gets tokens for one workload, in one piece: evidence, the verifier that appraises it, and what keeps the
/// default token fresh in memory and in its file.
class Attester {
 public:
  struct Parts {
    std::unique_ptr<TpmRoot> root;
    std::unique_ptr<GcaVerifier> verifier;
    IdTokenSource id_tokens;
    ImageSignatureSource signatures;
    std::optional<TokenFile> file;  ///< none: the default token is given when it is asked for, and to nobody else
  };

  Attester(const asio::any_io_executor& executor, Parts parts, const base::Clock& clock, Turns::Limits turns);

  TokenService& tokens() noexcept { return tokens_; }
  /// Of what the workload asks for; the default token's renewal waits for nobody's.
  Turns& turns() noexcept { return turns_; }
  base::Awaitable<evidence::TpmEvidence> evidence_for(base::Bytes challenge) {
    return attestation_.evidence_for(std::move(challenge));
  }
  /// Renews the default token from now on, and takes the file away when the token in it has expired.
  void keep_fresh();
  /// Ends the renewal and every attestation under way. The file stays as it is.
  base::Awaitable<void> stop();

 private:
  /// When the token in the file expires.
  struct Expiry {
    std::chrono::nanoseconds since_boot;
    base::WallTime wall;
  };

  void publish(const Token& token);
  base::Awaitable<void> withdraw_expired();

  asio::any_io_executor executor_;
  base::Clock clock_;
  Parts parts_;
  std::optional<Expiry> in_file_;
  Attestation attestation_;
  TokenService tokens_;
  Turns turns_;
  base::TaskGroup renewal_;
};

}  // namespace attest
