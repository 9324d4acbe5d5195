#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/asio.h"
#include "base/error.h"
#include "net/http_client.h"

namespace launcher {

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
