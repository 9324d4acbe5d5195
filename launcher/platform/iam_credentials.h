#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/asio.h"
#include "launcher/platform/google_api.h"

namespace launcher {

inline constexpr auto kIamCredentialsUrl = "https://iamcredentials.googleapis.com";

/// Google's IAM Service Account Credentials API, v1: ID tokens of accounts that the machine's own may act as.
class IamCredentials {
 public:
  /// `platform` must outlive it. `ca_file` holds the only roots that are trusted; the system's without it.
  IamCredentials(asio::any_io_executor executor, Platform& platform,
                 const std::optional<std::filesystem::path>& ca_file, std::string url = kIamCredentialsUrl);

  /// projects.serviceAccounts.generateIdToken, with the account's email in the token. Throws Error.
  base::Awaitable<std::string> id_token(std::string account, std::string audience);

 private:
  asio::any_io_executor executor_;
  std::string url_;
  GoogleApi api_;
};

}  // namespace launcher
