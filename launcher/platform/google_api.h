#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/json.h"
#include "launcher/platform/platform.h"
#include "net/http_client.h"

namespace launcher {

/// One of Google's APIs in JSON, called with the access token of the machine's service account.
class GoogleApi {
 public:
  /// `name` stands in errors. `platform` must outlive it. `ca_file` holds the only roots that are trusted; the system's
  /// without it.
  GoogleApi(const asio::any_io_executor& executor, std::string name, Platform& platform,
            const std::optional<std::filesystem::path>& ca_file);

  /// One try, and another one with a new token where the first was not taken (401). Throws Error, with what the API
  /// says of itself (google.rpc.Status); one that may pass says so.
  base::Awaitable<base::Json> post(std::string url, base::Json body);

 private:
  base::Awaitable<net::HttpResponse> send(const std::string& url, const std::string& body);

  std::string name_;
  Platform& platform_;
  net::HttpClient client_;
};

}  // namespace launcher
