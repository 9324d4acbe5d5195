#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/json.h"
#include "net/http_client.h"

namespace launcher {

/// One of Google's APIs in JSON, called with the access token of the machine's service account.
class GoogleApi {
 public:
  /// `name` stands in errors. `ca_file` holds the only roots that are trusted; the system's without it.
  GoogleApi(const asio::any_io_executor& executor, std::string name,
            const std::optional<std::filesystem::path>& ca_file);

  /// One try. Throws Error, with what the API says of itself (google.rpc.Status); one that may pass says so.
  base::Awaitable<base::Json> post(std::string url, std::string access_token, base::Json body);

 private:
  std::string name_;
  net::HttpClient client_;
};

}  // namespace launcher
