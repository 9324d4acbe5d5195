#include "verifier/appraisal/identity_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "evidence/refusal.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr std::int64_t kClockSkewSeconds = 60;
constexpr const char* kToken = "token";

std::string_view without_scheme(std::string_view issuer) {
  constexpr std::string_view kScheme = "https://";
  return issuer.starts_with(kScheme) ? issuer.substr(kScheme.size()) : issuer;
}

std::int64_t time_claim(const JsonObject& claims, const char* name) {
  const auto value = claims.optional_integer(name);
  if (!value) throw InvalidInput(kToken, std::string(name) + " is missing");
  return *value;
}

void check_times(const JsonObject& claims, base::WallTime now) {
  const std::int64_t seconds = base::to_unix_seconds(now);
  if (time_claim(claims, "exp") <= seconds - kClockSkewSeconds) throw InvalidInput(kToken, "has expired");
  for (const char* begin : {"iat", "nbf"}) {
    if (claims.has(begin) && time_claim(claims, begin) > seconds + kClockSkewSeconds) {
      throw InvalidInput(kToken, std::string(begin) + " lies in the future");
    }
  }
}

/// A single string: a token for several audiences could have been given by another of them.
void check_audience(const JsonObject& claims, std::string_view audience) {
  if (claims.string("aud") != audience) throw InvalidInput(kToken, "the audience is not the challenge's name");
}

void expect_known_key(const IdentityTokenIssuer& issuer, std::string_view token) {
  const base::Json header = evidence::read_unverified_jwt(token).header;
  const std::string key_id = JsonObject(header, "token.header").string("kid");
  const bool is_known = issuer.keys && std::ranges::any_of(*issuer.keys, [&](const evidence::Jwk& key) {
                          return key.key_id() == key_id;
                        });
  if (is_known) return;
  throw UnknownIssuerKey(issuer, key_id);
}

}  // namespace

bool is_same_issuer(std::string_view one, std::string_view other) {
  return without_scheme(one) == without_scheme(other);
}

const IdentityTokenIssuer& IdentityTokens::issuer_of(std::string_view token) const {
  const base::Json claims = evidence::read_unverified_jwt(token).claims;
  const std::string name = JsonObject(claims, kToken).string("iss");
  const auto found = std::ranges::find_if(
      issuers_, [&](const IdentityTokenIssuer& issuer) { return is_same_issuer(issuer.issuer, name); });
  if (found == issuers_.end()) throw InvalidInput(kToken, "the issuer \"" + name + "\" is not known");
  return *found;
}

std::optional<std::string> IdentityTokens::email(std::string_view token, std::string_view audience,
                                                 base::WallTime now) const {
  const IdentityTokenIssuer& issuer = issuer_of(token);
  if (issuer.may_have_more) expect_known_key(issuer, token);
  static const std::vector<evidence::Jwk> kNone;
  const base::Json verified = evidence::verify_jwt(token, issuer.keys ? *issuer.keys : kNone);
  const JsonObject claims(verified, kToken);
  check_audience(claims, audience);
  check_times(claims, now);
  auto address = claims.optional_string("email");
  if (!address || address->empty() || !claims.optional_bool("email_verified").value_or(false)) return std::nullopt;
  return address;
}

std::vector<std::string> IdentityTokens::emails(const std::vector<std::string>& tokens, std::string_view audience,
                                                base::WallTime now) const {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    try {
      const auto address = email(tokens[i], audience, now);
      if (address && std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
    } catch (const InvalidInput& error) {
      throw evidence::Refusal(evidence::Reason::kInvalidIdToken,
                              "Error validating token in position " + std::to_string(i) + ": " + error.what());
    }
  }
  return addresses;
}

}  // namespace verifier
