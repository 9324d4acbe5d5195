#include "attest/token.h"

#include <cmath>

#include "base/error.h"
#include "evidence/jose.h"

namespace attest {
namespace {

using base::InvalidInput;

/// How far the clocks of this machine and of the verifier may be apart.
constexpr std::int64_t kClockSkewSeconds = 300;
constexpr std::int64_t kMaxLifetimeSeconds = 24 * 3600;
/// Year 10000: the last second that RFC 3339 can write is before it.
constexpr double kMaxNumericDate = 253402300800.0;

/// NumericDate (RFC 7519 section 2) may have a fraction.
std::int64_t numeric_date(const base::JsonObject& claims, const char* key) {
  if (!claims.has(key)) throw InvalidInput(claims.path() + "." + key, "is missing");
  const base::Json& value = claims.raw()[key];
  if (!value.is_number()) throw InvalidInput(claims.path() + "." + key, "is not a number");
  const double seconds = value.get<double>();
  if (!(seconds >= 0 && seconds < kMaxNumericDate)) throw InvalidInput(claims.path() + "." + key, "is out of range");
  return static_cast<std::int64_t>(std::floor(seconds));
}

void expect_audience(const base::JsonObject& claims, std::string_view audience) {
  if (claims.string("aud") != audience) throw InvalidInput(claims.path() + ".aud", "is not the audience asked for");
}

}  // namespace

Token Token::parse(std::string jwt, std::string_view audience, base::WallTime now) {
  Token token;
  token.claims = evidence::read_unverified_jwt(jwt).claims;
  token.jwt = std::move(jwt);
  const base::JsonObject claims(token.claims, "token");
  const std::int64_t now_seconds = base::to_unix_seconds(now);
  const std::int64_t expires = numeric_date(claims, "exp");
  const std::int64_t issued = numeric_date(claims, "iat");
  if (expires <= issued) throw InvalidInput("token.exp", "is not after iat");
  if (expires - issued > kMaxLifetimeSeconds) throw InvalidInput("token.exp", "is more than a day after iat");
  if (expires <= now_seconds) throw InvalidInput("token.exp", "is in the past");
  if (claims.has("nbf") && numeric_date(claims, "nbf") > now_seconds + kClockSkewSeconds) {
    throw InvalidInput("token.nbf", "is in the future");
  }
  if (issued > now_seconds + kClockSkewSeconds) throw InvalidInput("token.iat", "is in the future");
  expect_audience(claims, audience);
  token.lifetime = std::chrono::seconds(expires - issued);
  token.expires = base::from_unix_seconds(expires);
  return token;
}

}  // namespace attest
