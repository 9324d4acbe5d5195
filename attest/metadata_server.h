#pragma once

#include <optional>
#include <string>

#include "base/asio.h"
#include "base/http_client.h"

namespace attest {

/// The Google Compute Engine metadata server.
class MetadataServer {
 public:
  /// `host` is host[:port]; the default is where every VM finds it.
  MetadataServer(asio::any_io_executor executor, std::string host = "169.254.169.254");
  /// GCE_METADATA_HOST of the environment, or the default.
  static std::string host_from_environment();

  /// The text at computeMetadata/v1/`path`, or nothing when there is none (404). Retries what may pass; throws Error.
  base::Awaitable<std::optional<std::string>> get(std::string path);
  /// The same, but absence is an error.
  base::Awaitable<std::string> require(std::string path);

  /// An ID token of the VM's default service account for `audience`, or nothing when the VM has no service account.
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience);

 private:
  base::Awaitable<base::HttpResponse> try_once(std::string path);

  asio::any_io_executor executor_;
  std::string base_url_;
  base::HttpClient client_;
};

}  // namespace attest
