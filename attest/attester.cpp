#include "attest/attester.h"

#include <utility>

namespace attest {

Attester::Attester(const asio::any_io_executor& executor, Parts parts, const base::Clock& clock,
                   TokenService::CustomTokens custom_tokens)
    : parts_(std::move(parts)),
      attestation_(*parts_.root, *parts_.verifier, parts_.id_tokens, parts_.signatures, clock),
      tokens_(
          executor, [this](evidence::TokenOptions wanted) { return attestation_.token(std::move(wanted)); },
          [this](const Token& token) {
            if (parts_.file) parts_.file->write(token.jwt);
          },
          clock, custom_tokens),
      renewal_(executor) {}

void Attester::keep_fresh() { renewal_.spawn(tokens_.keep_fresh()); }

base::Awaitable<void> Attester::stop() {
  renewal_.cancel();
  co_await tokens_.stop();
  co_await renewal_.join();
}

}  // namespace attest
