#pragma once

#include <memory>
#include <optional>

#include "attest/attestation.h"
#include "attest/roots/tpm_root.h"
#include "attest/token_file.h"
#include "attest/token_service.h"
#include "attest/verifiers/gca_verifier.h"
#include "base/asio.h"
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

  Attester(const asio::any_io_executor& executor, Parts parts, const base::Clock& clock,
           TokenService::CustomTokens custom_tokens);

  TokenService& tokens() noexcept { return tokens_; }
  /// Renews the default token from now on.
  void keep_fresh();
  /// Ends the renewal and every attestation under way.
  base::Awaitable<void> stop();

 private:
  Parts parts_;
  Attestation attestation_;
  TokenService tokens_;
  base::TaskGroup renewal_;
};

}  // namespace attest
