#include "csctl/commands/token_checks.h"

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/openssl.h"
#include "csctl/commands/command.h"
#include "csctl/input/time.h"
#include "csctl/input/wait.h"
#include "evidence/jose.h"
#include "evidence/pki_token.h"
#include "verifier/service/issuer_keys.h"

namespace csctl {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;

std::vector<evidence::Jwk> fetch_keys(const TokenVerifyOptions& options) {
  std::optional<std::filesystem::path> ca;
  if (!options.ca.empty()) ca = options.ca;
  return wait_for("keys of " + options.issuer,
                  [&](const asio::any_io_executor& executor) {
                    return [](asio::any_io_executor home, std::optional<std::filesystem::path> roots,
                              std::string issuer) -> base::Awaitable<verifier::PublishedKeys> {
                      net::HttpClient http(std::move(home), roots);
                      co_return co_await verifier::fetch_published_keys(http, std::move(issuer));
                    }(executor, ca, options.issuer);
                  })
      .keys;
}

base::X509Ptr read_root(const std::string& file) {
  auto certificates = base::parse_pem_certificates(base::read_text_file(file, kMaxFileBytes), file);
  return std::move(certificates.front());
}

/// How the signature is checked, with all that it takes: what can't be had is no answer to the question.
std::function<void(const std::string&)> signature_check(const TokenVerifyOptions& options, base::WallTime at) {
  if (!options.pki_root.empty()) {
    const std::shared_ptr<X509> root(read_root(options.pki_root));
    return [root, at](const std::string& token) { evidence::verify_pki_jwt(token, *root, at); };
  }
  std::vector<evidence::Jwk> keys =
      options.jwks.empty() ? fetch_keys(options)
                           : evidence::parse_jwks(base::read_text_file(options.jwks, kMaxFileBytes), options.jwks);
  const auto shared = std::make_shared<const std::vector<evidence::Jwk>>(std::move(keys));
  return [shared](const std::string& token) { evidence::verify_jwt(token, *shared); };
}

std::int64_t seconds_of(const JsonObject& claims, const char* key) {
  const auto seconds = claims.optional_integer(key);
  if (!seconds) throw InvalidInput(claims.path() + "." + key, "is missing");
  return *seconds;
}

void expect_text(const JsonObject& claims, const char* key, const std::string& expected) {
  const std::string found = claims.string(key);
  if (found != expected) throw InvalidInput(claims.path() + "." + key, "expected " + expected + ", found " + found);
}

std::string time_text(std::int64_t seconds) {
  constexpr std::int64_t kLast = 9'000'000'000;  // of years that a WallTime holds
  if (seconds < 0 || seconds > kLast) return std::to_string(seconds);
  return base::to_rfc3339(base::from_unix_seconds(seconds));
}

/// Notes what came of a check.
template <typename Look>
void make(TokenChecks& checks, const char* name, Look look) {
  try {
    look();
    checks.all.push_back({name});
  } catch (const InvalidInput& error) {
    checks.all.push_back({name, false, error.what()});
    checks.hold = false;
  }
}

}  // namespace

bool names_keys(const TokenVerifyOptions& options) {
  return !options.issuer.empty() || !options.jwks.empty() || !options.pki_root.empty();
}

TokenChecks check_token(const std::string& token, const TokenVerifyOptions& options) {
  const base::WallTime at = time_asked_for(options.at, "--at");
  const auto check_signature = signature_check(options, at);
  const evidence::UnverifiedJwt unverified = evidence::read_unverified_jwt(token);
  const JsonObject claims(unverified.claims, "token");
  const std::int64_t now = base::to_unix_seconds(at);
  TokenChecks checks;
  make(checks, "signature", [&] { check_signature(token); });
  if (!options.issuer.empty()) make(checks, "issuer", [&] { expect_text(claims, "iss", options.issuer); });
  if (!options.audience.empty()) make(checks, "audience", [&] { expect_text(claims, "aud", options.audience); });
  make(checks, "not before", [&] {
    const std::int64_t begin = claims.optional_integer("nbf").value_or(0);
    if (now < begin) throw InvalidInput("token.nbf", "it counts from " + time_text(begin) + " on");
  });
  make(checks, "not after", [&] {
    const std::int64_t end = seconds_of(claims, "exp");
    if (now >= end) throw InvalidInput("token.exp", "it has expired at " + time_text(end));
  });
  return checks;
}

}  // namespace csctl
