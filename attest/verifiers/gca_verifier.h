#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "evidence/messages.h"
#include "evidence/status.h"
#include "net/http_client.h"

namespace attest {

/// A client of the Google Cloud Attestation REST API, or of any verifier that speaks it. Throws evidence::StatusError:
/// UNAVAILABLE or DEADLINE_EXCEEDED when the verifier could not be reached, DATA_LOSS when its answer is none, else
/// what it refused with.
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

  /// scheme://host:port.
  const std::string& endpoint() const noexcept { return config_.endpoint; }

  /// Asks whether the verifier serves this project and region; throws StatusError that lists the regions it has. One
  /// try: a verifier that may come later is waited for by the caller.
  base::Awaitable<void> check_location();
  base::Awaitable<evidence::Challenge> create_challenge();
  /// Returns the token as the verifier sent it. The challenge is used up, whatever comes of it.
  base::Awaitable<std::string> verify(evidence::Challenge challenge, evidence::VerifyRequest request);

 private:
  base::Awaitable<net::HttpRequest> prepare(std::string method, std::string path, std::string body);
  base::Awaitable<base::Json> exchange(net::HttpRequest request, base::Milliseconds timeout);
  base::Awaitable<base::Json> call(std::string method, std::string path, std::string body, base::Milliseconds timeout);
  base::Awaitable<base::Json> call_with_retries(std::string method, std::string path, std::string body);
  base::Awaitable<std::string> region_list();

  asio::any_io_executor executor_;
  Config config_;
  net::HttpClient client_;
};

}  // namespace attest
