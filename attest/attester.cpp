#include "attest/attester.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace attest {

Attester::Attester(const asio::any_io_executor& executor, Parts parts, const base::Clock& clock, Turns::Limits turns)
    : executor_(executor),
      clock_(clock),
      parts_(std::move(parts)),
      attestation_(*parts_.root, *parts_.verifier, parts_.id_tokens, parts_.signatures, clock),
      tokens_(
          executor, [this](evidence::TokenOptions wanted) { return attestation_.token(std::move(wanted)); },
          [this](const Token& token) { publish(token); }, clock),
      turns_(executor, turns),
      renewal_(executor) {}

void Attester::publish(const Token& token) {
  if (!parts_.file) return;
  parts_.file->write(token.jwt);
  in_file_ = Expiry{clock_.since_boot() + token.lifetime, token.expires};
}

/// A clock that is set tells nobody who waits, hence a look at both every second.
base::Awaitable<void> Attester::withdraw_expired() {
  constexpr base::Milliseconds kLook{1000};
  for (;;) {
    co_await base::sleep_for(executor_, kLook);
    if (!in_file_ || (clock_.since_boot() < in_file_->since_boot && clock_.wall() < in_file_->wall)) continue;
    in_file_.reset();
    base::log::warning("the attestation token in the file has expired");
    try {
      parts_.file->remove();
    } catch (const base::Error& error) {
      base::log::error("an expired attestation token stays in the file", {{"error", error.what()}});
    }
  }
}

void Attester::keep_fresh() {
  renewal_.spawn(tokens_.keep_fresh());
  renewal_.spawn(withdraw_expired());
}

base::Awaitable<void> Attester::stop() {
  renewal_.cancel();
  co_await tokens_.stop();
  co_await renewal_.join();
}

}  // namespace attest
