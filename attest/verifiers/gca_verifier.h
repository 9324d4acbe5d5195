#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/error.h"
#include "evidence/messages.h"
#include "net/http_client.h"

namespace attest {

/// The verifier refused, or could not be reached (UNAVAILABLE).
class VerifierError : public base::Error {
 public:
  VerifierError(const std::string& message, evidence::CanonicalCode code,
                std::optional<std::chrono::seconds> retry_after = {})
      : base::Error(message), code_(code), retry_after_(retry_after) {}

  evidence::CanonicalCode code() const noexcept { return code_; }
  /// Whether the verifier was absent, or can't answer now: a later try may succeed.
  bool may_come_later() const noexcept { return may_come_later_; }
  VerifierError& set_may_come_later() noexcept {
    may_come_later_ = true;
    return *this;
  }
  /// The verifier's own word on when to come back.
  std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

 private:
  evidence::CanonicalCode code_;
  std::optional<std::chrono::seconds> retry_after_;
  bool may_come_later_ = false;
};

/// scheme://host:port of a verifier's URL: https://host[:port], or http:// on loopback, without a path. Throws
/// InvalidInput(`field`).
std::string checked_endpoint(const std::string& endpoint, std::string_view field);

/// A client of the Google Cloud Attestation REST API, or of any verifier that speaks it.
class GcaVerifier {
 public:
  struct Config {
    std::string endpoint;  ///< https://host[:port]; http:// for loopback only
    std::optional<std::filesystem::path> ca_file;
    std::string project_id;
    std::string region;
    /// The bearer token of a call, or nothing; may be empty.
    std::function<base::Awaitable<std::optional<std::string>>()> access_token;
  };

  /// Throws InvalidInput for an endpoint that is not as above, and for a project or region that is no plain name.
  GcaVerifier(asio::any_io_executor executor, Config config);

  /// Asks whether the verifier serves this project and region; throws VerifierError that lists the regions it has. One
  /// try: a verifier that may come later is waited for by the caller.
  base::Awaitable<void> check_location();
  base::Awaitable<evidence::Challenge> create_challenge();
  /// Returns the token as the verifier sent it. The challenge is used up, whatever comes of it.
  base::Awaitable<std::string> verify(evidence::Challenge challenge, evidence::VerifyRequest request);

 private:
  base::Awaitable<base::Json> call(std::string method, std::string path, std::string body, base::Milliseconds timeout);
  using IsTransient = bool (*)(const base::Error&);
  base::Awaitable<base::Json> call_with_retries(std::string method, std::string path, std::string body,
                                                IsTransient is_transient);
  base::Awaitable<std::string> region_list();

  asio::any_io_executor executor_;
  Config config_;
  net::HttpClient client_;
};

}  // namespace attest
