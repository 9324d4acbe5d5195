#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "attest/token.h"
#include "base/asio.h"
#include "base/clock.h"
#include "base/semaphore.h"
#include "evidence/messages.h"

namespace attest {

/// The default token as it is kept in memory.
struct DefaultToken {
  std::shared_ptr<const Token> token;
  std::string etag;                      ///< changes with every token; without quotes
  std::chrono::nanoseconds received{0};  ///< on the clock since boot
  std::chrono::nanoseconds expires{0};   ///< on the clock since boot
};

/// Custom tokens that are got at a time: each holds a whole verify request, all together kCustomTokensBytes at the most
/// unless a single one has more.
inline constexpr std::size_t kMaxCustomTokens = 8;
inline constexpr std::size_t kCustomTokensBytes = std::size_t{4} << 20U;
/// How many these are, and one at least, when a verify request has `request_bytes`.
std::size_t custom_tokens_at_once(std::size_t request_bytes);

/// Keeps the default token and gets others. The life of a token is counted on a clock that never jumps.
class TokenService {
 public:
  /// One whole attestation.
  using Source = std::function<base::Awaitable<Token>(evidence::TokenOptions)>;
  /// Told of each new default token. What it throws is logged; for the first token it is the caller's.
  using Publish = std::function<void(const Token&)>;

  /// The default token is given from memory while at least this much of its life is left.
  static constexpr std::chrono::minutes kMinLifeFromMemory{10};

  struct CustomTokens {
    std::size_t at_once = kMaxCustomTokens;
    base::Milliseconds patience{60000};  ///< how long one waits for others that are being got
  };

  TokenService(asio::any_io_executor executor, Source source, Publish publish, base::Clock clock,
               CustomTokens custom_tokens);
  TokenService(asio::any_io_executor executor, Source source, Publish publish, base::Clock clock)
      : TokenService(std::move(executor), std::move(source), std::move(publish), std::move(clock), CustomTokens{}) {}

  /// From memory if it has life enough, otherwise as `fresh_default_token`. When that fails or takes long, the old
  /// token is given as long as it is valid.
  base::Awaitable<DefaultToken> default_token();
  /// A new attestation. Requests that come while one is under way share it.
  base::Awaitable<DefaultToken> fresh_default_token();
  /// A token with options of the caller's own; never shared. Nothing when too many others are being got.
  base::Awaitable<std::optional<Token>> custom_token(evidence::TokenOptions options);

  /// Renews the default token for ever at a random 70 to 90 % of its life; ends by cancellation.
  base::Awaitable<void> keep_fresh();

  /// Ends an attestation under way; whoever waits for it gets operation_aborted.
  base::Awaitable<void> stop();

  /// Time since boot on the service's clock.
  std::chrono::nanoseconds now() const { return clock_.since_boot(); }

 private:
  struct Renewal;

  base::Awaitable<void> renew(std::shared_ptr<Renewal> renewal);
  std::shared_ptr<Renewal> join_renewal();
  base::Awaitable<void> sleep_until(std::chrono::nanoseconds since_boot);
  bool is_valid(const DefaultToken& token) const;

  asio::any_io_executor executor_;
  Source source_;
  Publish publish_;
  base::Clock clock_;
  std::optional<DefaultToken> current_;
  std::shared_ptr<Renewal> renewal_;
  base::TaskGroup renewals_;
  base::Milliseconds custom_patience_;
  base::Semaphore custom_places_;
};

/// When to try again after a failed renewal: one minute doubled up to an hour, each +/- 50 %; tokens of a short life
/// are tried for at a tenth of it instead. Never sooner than the verifier asked for.
std::chrono::milliseconds renewal_delay(int failures, std::chrono::seconds lifetime,
                                        std::optional<std::chrono::seconds> retry_after);

}  // namespace attest
