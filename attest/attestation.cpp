#include "attest/attestation.h"

#include <utility>

#include "base/log.h"
#include "evidence/request_binding.h"

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

}  // namespace

Attestation::Attestation(TpmRoot& root, GcaVerifier& verifier, IdTokenSource id_tokens, base::Clock clock)
    : root_(root), verifier_(verifier), id_tokens_(std::move(id_tokens)), clock_(std::move(clock)) {}

base::Awaitable<Token> Attestation::token(evidence::TokenOptions options) {
  // The socket API's default: only who asks for nothing special gets the default audience.
  if (options.audience.empty() && options.nonces.empty()) options.audience = evidence::kDefaultAudience;
  const std::string audience = options.audience;
  evidence::Challenge challenge = co_await verifier_.create_challenge();
  base::Bytes qualifying_data = challenge.binds_requests
                                    ? evidence::bound_qualifying_data(challenge.nonce, verifier_.endpoint(), options)
                                    : challenge.nonce;
  auto [evidence, id_tokens] =
      co_await base::both(root_.evidence(std::move(qualifying_data)), id_tokens_for(id_tokens_, challenge.name));
  base::log::debug("attestation through TPM quote");
  evidence::VerifyRequest request{
      .evidence = std::move(evidence), .id_tokens = std::move(id_tokens), .options = std::move(options)};
  std::string jwt = co_await verifier_.verify(std::move(challenge), std::move(request));
  try {
    co_return Token::parse(std::move(jwt), audience, clock_.wall());
  } catch (const base::InvalidInput& error) {
    throw evidence::StatusError(evidence::StatusCode::kDataLoss,
                                std::string("the verifier's token is not usable: ") + error.what());
  }
}

}  // namespace attest
