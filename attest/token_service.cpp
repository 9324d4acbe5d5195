#include "attest/token_service.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/log.h"
#include "base/retry.h"
#include "measure/hash.h"

namespace attest {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kEarliestRenewal = 0.7;
constexpr double kLatestRenewal = 0.9;
constexpr milliseconds kFirstRetry = std::chrono::minutes(1);
constexpr milliseconds kSlowestRetry = std::chrono::hours(1);
constexpr milliseconds kFastestRetry = seconds(1);
constexpr int kShareOfLifeBetweenRetries = 10;
constexpr double kRetryJitter = 0.5;
/// Timers stand still while the machine sleeps; a look at the clock this often notices.
constexpr milliseconds kLongestNap = seconds(30);
/// How long a request waits for a new token while the old one would do.
constexpr milliseconds kPatience = seconds(5);
constexpr std::size_t kEtagBytes = 16;

std::string etag_of(const std::string& jwt) {
  base::Bytes digest = measure::hash(measure::HashAlgorithm::kSha256, base::view_of(jwt));
  digest.resize(kEtagBytes);
  return base::hex_encode(digest);
}

bool is_unreachable(evidence::StatusCode code) {
  return code == evidence::StatusCode::kUnavailable || code == evidence::StatusCode::kDeadlineExceeded;
}

/// The claims without the values of environment variables, which may be secrets.
base::Json loggable_claims(base::Json claims) {
  for (const char* variables : {"/submods/container/env", "/submods/container/env_override"}) {
    const base::Json::json_pointer where(variables);
    if (!claims.contains(where) || !claims[where].is_object()) continue;
    for (auto& [name, value] : claims[where].items()) value = "[REDACTED]";
  }
  return claims;
}

}  // namespace

milliseconds renewal_delay(int failures, seconds lifetime, std::optional<seconds> retry_after) {
  const base::RetryPolicy policy{
      .max_attempts = failures + 1,
      .first_delay = std::clamp<milliseconds>(lifetime / kShareOfLifeBetweenRetries, kFastestRetry, kFirstRetry),
      .multiplier = 2.0,
      .max_delay = kSlowestRetry,
      .jitter = kRetryJitter};
  return std::max<milliseconds>(policy.delay_after(failures), retry_after.value_or(seconds(0)));
}

/// One attestation for the default token, and all who wait for it.
struct TokenService::Renewal {
  explicit Renewal(asio::any_io_executor executor) : done(std::move(executor)) {}

  base::Event done;
  std::exception_ptr failure;
};

TokenService::TokenService(asio::any_io_executor executor, Source source, Publish publish, base::Clock clock)
    : executor_(std::move(executor)),
      source_(std::move(source)),
      publish_(std::move(publish)),
      clock_(std::move(clock)),
      renewals_(executor_) {}

bool TokenService::is_valid(const DefaultToken& token) const {
  return clock_.since_boot() < token.expires && clock_.wall() < token.token->expires;
}

/// Whoever it is for, it shows whether the verifier can be reached.
base::Awaitable<Token> TokenService::attest(evidence::TokenOptions options) {
  try {
    Token token = co_await source_(std::move(options));
    away_since_.reset();
    co_return token;
  } catch (const evidence::StatusError& error) {
    if (!is_unreachable(error.code())) {
      away_since_.reset();
    } else if (!away_since_) {
      away_since_ = clock_.since_boot();
    }
    throw;
  }
}

base::Awaitable<void> TokenService::renew(std::shared_ptr<Renewal> renewal) {
  try {
    evidence::TokenOptions defaults;
    Token token = co_await attest(std::move(defaults));
    const nanoseconds received = clock_.since_boot();
    DefaultToken fresh{
        .token = std::make_shared<const Token>(std::move(token)), .etag = {}, .received = received, .expires = {}};
    fresh.etag = etag_of(fresh.token->jwt);
    fresh.expires = received + fresh.token->lifetime;
    const bool is_first = !current_;
    current_ = fresh;
    is_failing_ = false;
    try {
      publish_(*fresh.token);
      base::log::document("successfully refreshed attestation token",
                          {{"expires", base::to_rfc3339(fresh.token->expires)},
                           {"token", loggable_claims(fresh.token->claims).dump()}});
    } catch (const base::Error& error) {
      if (is_first) throw;
      base::log::error("the new attestation token was not published", {{"error", error.what()}});
    }
  } catch (const base::Error& error) {  // not hidden: every waiter gets it
    const auto* refusal = dynamic_cast<const evidence::StatusError*>(&error);
    last_failure_ = {refusal == nullptr ? evidence::StatusCode::kInternal : refusal->code(), clock_.wall()};
    is_failing_ = true;
    renewal->failure = std::current_exception();
  } catch (...) {
    renewal->failure = std::current_exception();
  }
  renewal_.reset();
  renewal->done.set();
}

std::shared_ptr<TokenService::Renewal> TokenService::join_renewal() {
  if (renewal_) return renewal_;
  auto renewal = std::make_shared<Renewal>(executor_);
  renewal_ = renewal;
  // On its own, so that a client that leaves takes nobody else's token away. It may have ended when this returns.
  renewals_.spawn(renew(renewal));
  return renewal;
}

base::Awaitable<DefaultToken> TokenService::fresh_default_token() {
  const std::shared_ptr<Renewal> renewal = join_renewal();
  co_await renewal->done.wait();
  if (renewal->failure) std::rethrow_exception(renewal->failure);
  co_return *current_;
}

base::Awaitable<DefaultToken> TokenService::default_token() {
  if (current_ && is_valid(*current_) && current_->expires - clock_.since_boot() >= kMinLifeFromMemory) {
    co_return *current_;
  }
  const std::shared_ptr<Renewal> renewal = join_renewal();
  if (current_ && is_valid(*current_)) {
    co_await renewal->done.wait_for(kPatience);
    if (!renewal->done.is_set() || renewal->failure) {
      if (is_valid(*current_)) co_return *current_;
    }
  }
  co_await renewal->done.wait();
  if (renewal->failure) std::rethrow_exception(renewal->failure);
  co_return *current_;
}

base::Awaitable<void> TokenService::stop() {
  renewals_.cancel();
  co_await renewals_.join();
}

base::Awaitable<Token> TokenService::custom_token(evidence::TokenOptions options) {
  co_return co_await attest(std::move(options));
}

base::WallTime TokenService::to_wall(nanoseconds since_boot) const {
  return clock_.wall() + std::chrono::duration_cast<base::WallTime::duration>(since_boot - clock_.since_boot());
}

TokenStatus TokenService::status() const {
  TokenStatus status;
  if (current_) {
    using State = TokenStatus::State;
    status.state = !is_valid(*current_) ? State::kExpired : is_failing_ ? State::kFailing : State::kReady;
    status.expires = std::min(current_->token->expires, to_wall(current_->expires));
  }
  if (next_refresh_) status.next_refresh = to_wall(*next_refresh_);
  status.last_failure = last_failure_;
  if (away_since_) status.verifier_away = std::chrono::duration_cast<seconds>(clock_.since_boot() - *away_since_);
  return status;
}

base::Awaitable<void> TokenService::sleep_until(nanoseconds since_boot) {
  for (nanoseconds left = since_boot - clock_.since_boot(); left > nanoseconds(0);
       left = since_boot - clock_.since_boot()) {
    const auto nap = std::chrono::ceil<milliseconds>(std::min<nanoseconds>(left, kLongestNap));
    co_await base::sleep_for(executor_, nap);
  }
}

base::Awaitable<void> TokenService::keep_fresh() {
  int failures = 0;
  for (;;) {
    if (failures > 0) {
      co_await sleep_until(*next_refresh_);
    } else if (current_) {
      const DefaultToken renewed = *current_;
      const auto life = std::chrono::duration<double, std::nano>(renewed.expires - renewed.received);
      const auto share = base::random_between(kEarliestRenewal, kLatestRenewal);
      next_refresh_ = renewed.received + nanoseconds(static_cast<nanoseconds::rep>(life.count() * share));
      co_await sleep_until(*next_refresh_);
      if (current_->received != renewed.received) continue;  // a request has renewed it meanwhile
    }
    base::log::info("refreshing attestation verifier OIDC token");
    std::string failure;
    std::optional<seconds> retry_after;
    try {
      co_await fresh_default_token();
      failures = 0;
      continue;
    } catch (const base::Error& error) {
      failure = error.what();
      retry_after = error.retry_after();
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      failure = error.what();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    const seconds lifetime = current_ ? current_->token->lifetime : seconds(0);
    const milliseconds delay = renewal_delay(++failures, lifetime, retry_after);
    next_refresh_ = clock_.since_boot() + delay;
    base::log::error("failed to refresh attestation service token",
                     {{"error", failure}, {"retry_in_ms", std::int64_t{delay.count()}}});
  }
}

}  // namespace attest
