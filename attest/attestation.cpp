#include "attest/attestation.h"

#include <utility>

#include "base/log.h"
#include "evidence/request_binding.h"
#include "evidence/status.h"
#include "evidence/vm_attestation.h"

namespace attest {
namespace {

base::Awaitable<std::vector<std::string>> id_tokens_for(const IdTokenSource& source, std::string audience) {
  if (!source) co_return std::vector<std::string>();
  try {
    co_return co_await source(std::move(audience));
  } catch (const base::Error& error) {
    throw error.in_context("failed to get principal tokens");
  }
}

base::Awaitable<std::vector<evidence::ImageSignature>> signatures_from(const ImageSignatureSource& source,
                                                                       bool refresh) {
  if (!source) co_return std::vector<evidence::ImageSignature>();
  co_return co_await source(refresh);
}

}  // namespace

Attestation::Attestation(TpmRoot& root, GcaVerifier& verifier, IdTokenSource id_tokens, ImageSignatureSource signatures,
                         base::Clock clock)
    : root_(root),
      verifier_(verifier),
      id_tokens_(std::move(id_tokens)),
      signatures_(std::move(signatures)),
      clock_(std::move(clock)) {}

base::Awaitable<evidence::Challenge> Attestation::create_challenge() {
  evidence::Challenge challenge = co_await verifier_.create_challenge();
  if (!nonces_are_bound_) nonces_are_bound_ = challenge.binds_requests;
  if (*nonces_are_bound_ && !challenge.binds_requests) {
    // Of the codes that do not blame whoever asks the socket.
    throw evidence::StatusError(evidence::StatusCode::kDataLoss,
                                "the verifier no longer binds requests to its challenges, as it did before");
  }
  co_return challenge;
}

base::Awaitable<evidence::TpmEvidence> Attestation::evidence_for(base::Bytes challenge) {
  if (!nonces_are_bound_) co_await create_challenge();
  if (!*nonces_are_bound_) {
    throw evidence::StatusError(evidence::StatusCode::kFailedPrecondition,
                                "attestation evidence is disabled: the verifier chooses what is quoted, since it does "
                                "not bind requests to its challenges");
  }
  co_return co_await root_.evidence(evidence::evidence_nonce(challenge));
}

base::Awaitable<Token> Attestation::token(evidence::TokenOptions options) {
  // The socket API's default: only who asks for nothing special gets the default audience.
  const bool is_default = options.audience.empty() && options.nonces.empty();
  if (is_default) options.audience = evidence::kDefaultAudience;
  const std::string audience = options.audience;
  auto [challenge, signatures] = co_await base::both(create_challenge(), signatures_from(signatures_, is_default));
  base::Bytes qualifying_data = challenge.binds_requests
                                    ? evidence::bound_qualifying_data(challenge.nonce, verifier_.endpoint(), options)
                                    : challenge.nonce;
  auto [evidence, id_tokens] =
      co_await base::both(root_.evidence(std::move(qualifying_data)), id_tokens_for(id_tokens_, challenge.name));
  base::log::debug("attestation through TPM quote");
  if (!signatures.empty()) {
    base::log::info("Found container image signatures", {{"count", std::to_string(signatures.size())}});
  }
  evidence::VerifyRequest request{.evidence = std::move(evidence),
                                  .id_tokens = std::move(id_tokens),
                                  .options = std::move(options),
                                  .image_signatures = std::move(signatures)};
  std::string jwt = co_await verifier_.verify(std::move(challenge), std::move(request));
  try {
    co_return Token::parse(std::move(jwt), audience, clock_.wall());
  } catch (const base::InvalidInput& error) {
    throw evidence::StatusError(evidence::StatusCode::kDataLoss,
                                std::string("the verifier's token is not usable: ") + error.what());
  }
}

}  // namespace attest
