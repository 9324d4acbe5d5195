#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/retry.h"
#include "net/http_client.h"

namespace launcher {

/// The Google Compute Engine metadata server.
class MetadataServer {
 public:
  /// The retry policy of Google's own client: five retries from 100 ms on 5xx and on failures of the network.
  static constexpr base::RetryPolicy kRetries{.max_attempts = 6,
                                              .first_delay = base::Milliseconds(100),
                                              .multiplier = 2.0,
                                              .max_delay = base::Milliseconds(3200),
                                              .jitter = 0.1,
                                              .max_retry_after = base::Milliseconds(3200)};

  /// `host` is host[:port]; the default is where every VM finds it.
  MetadataServer(asio::any_io_executor executor, std::string host = "169.254.169.254");
  /// GCE_METADATA_HOST of the environment, or the default.
  static std::string host_from_environment();

  /// The text at computeMetadata/v1/`path`, or nothing when there is none (404). Throws Error.
  base::Awaitable<std::optional<std::string>> get(std::string path, base::RetryPolicy retries = kRetries);
  /// The same, but absence is an error.
  base::Awaitable<std::string> require(std::string path, base::RetryPolicy retries = kRetries);

  /// A name, such as the project's: see checked_name.
  base::Awaitable<std::optional<std::string>> get_name(std::string path);
  base::Awaitable<std::string> require_name(std::string path);

  /// An ID token of the VM's default service account for `audience`, or nothing when the VM has no service account.
  /// Throws InvalidInput when it is no text that could stand in a JSON string or an HTTP header: see checked_token.
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience);

 private:
  base::Awaitable<net::HttpResponse> try_once(std::string path);

  asio::any_io_executor executor_;
  std::string base_url_;
  net::HttpClient client_;
};

}  // namespace launcher
