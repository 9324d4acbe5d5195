#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "attest/token.h"
#include "base/asio.h"
#include "base/clock.h"
#include "evidence/messages.h"
#include "evidence/status.h"

namespace attest {

/// The default token as it is kept in memory.
struct DefaultToken {
  std::shared_ptr<const Token> token;
  std::string etag;                      ///< changes with every token; without quotes
  std::chrono::nanoseconds received{0};  ///< on the clock since boot
  std::chrono::nanoseconds expires{0};   ///< on the clock since boot
};

/// How it stands with the default token, as far as the workload may know.
struct TokenStatus {
  enum class State {
    kNone,     ///< none yet
    kReady,    ///< valid, and the last attempt to renew it succeeded
    kFailing,  ///< valid, and the last attempt failed
    kExpired,
  };
  struct Failure {
    evidence::StatusCode code;
    base::WallTime time;
  };

  State state = State::kNone;
  std::optional<base::WallTime> expires;
  std::optional<base::WallTime> next_refresh;  ///< none when it is not renewed by itself
  std::optional<Failure> last_failure;         ///< to renew it, however long ago
  std::chrono::seconds verifier_away{0};       ///< how long no attestation has reached it; 0 when the last one did
};

/// Keeps the default token and gets others. The life of a token is counted on a clock that never jumps.
class TokenService {
 public:
  /// One whole attestation.
  using Source = std::function<base::Awaitable<Token>(evidence::TokenOptions)>;
  /// Told of each new default token. What it throws is logged; for the first token it is the caller's.
  using Publish = std::function<void(const Token&)>;

  /// The default token is given from memory while at least this much of its life is left.
  static constexpr std::chrono::minutes kMinLifeFromMemory{10};

  TokenService(asio::any_io_executor executor, Source source, Publish publish, base::Clock clock);

  /// From memory if it has life enough, otherwise as `fresh_default_token`. When that fails or takes long, the old
  /// token is given as long as it is valid.
  base::Awaitable<DefaultToken> default_token();
  /// A new attestation. Requests that come while one is under way share it.
  base::Awaitable<DefaultToken> fresh_default_token();
  /// A token with options of the caller's own; never shared.
  base::Awaitable<Token> custom_token(evidence::TokenOptions options);

  TokenStatus status() const;

  /// Renews the default token for ever at a random 70 to 90 % of its life; ends by cancellation.
  base::Awaitable<void> keep_fresh();

  /// Ends an attestation under way; whoever waits for it gets operation_aborted.
  base::Awaitable<void> stop();

  /// Time since boot on the service's clock.
  std::chrono::nanoseconds now() const { return clock_.since_boot(); }

 private:
  struct Renewal;

  base::Awaitable<Token> attest(evidence::TokenOptions options);
  base::WallTime to_wall(std::chrono::nanoseconds since_boot) const;
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
  std::optional<std::chrono::nanoseconds> next_refresh_;  ///< on the clock since boot
  std::optional<TokenStatus::Failure> last_failure_;
  bool is_failing_ = false;                             ///< the last renewal failed
  std::optional<std::chrono::nanoseconds> away_since_;  ///< on the clock since boot
};

/// When to try again after a failed renewal: one minute doubled up to an hour, each +/- 50 %; tokens of a short life
/// are tried for at a tenth of it instead. Never sooner than the verifier asked for.
std::chrono::milliseconds renewal_delay(int failures, std::chrono::seconds lifetime,
                                        std::optional<std::chrono::seconds> retry_after);

}  // namespace attest
