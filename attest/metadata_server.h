#pragma once

#include <optional>
#include <string>

#include "base/asio.h"
#include "base/error.h"
#include "base/http_client.h"

namespace attest {

/// Nobody answers at the metadata server's address, or it can't answer now (5xx, 429): a later try may succeed.
class MetadataUnavailable : public base::Error {
 public:
  using base::Error::Error;
};

/// The Google Compute Engine metadata server.
class MetadataServer {
 public:
  /// Which failures are met with another try.
  enum class Retries {
    kAll,    ///< a few seconds of absence, too
    kBroken  ///< connections that broke: the caller itself waits for a server that is absent
  };

  /// `host` is host[:port]; the default is where every VM finds it.
  MetadataServer(asio::any_io_executor executor, std::string host = "169.254.169.254");
  /// GCE_METADATA_HOST of the environment, or the default.
  static std::string host_from_environment();

  /// The text at computeMetadata/v1/`path`, or nothing when there is none (404). Retries what may pass;
  /// throws MetadataUnavailable when it did not, Error for any other failure.
  base::Awaitable<std::optional<std::string>> get(std::string path, Retries retries = Retries::kAll);
  /// The same, but absence is an error.
  base::Awaitable<std::string> require(std::string path, Retries retries = Retries::kAll);

  /// An ID token of the VM's default service account for `audience`, or nothing when the VM has no service account.
  base::Awaitable<std::optional<std::string>> identity_token(std::string audience);

 private:
  base::Awaitable<base::HttpResponse> try_once(std::string path);

  asio::any_io_executor executor_;
  std::string base_url_;
  base::HttpClient client_;
};

}  // namespace attest
