#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/asio.h"
#include "launcher/platform/iam_credentials.h"
#include "launcher/platform/platform.h"

namespace launcher {

/// Who the machine is, and as whom it may act.
class Principals {
 public:
  /// `platform` must outlive it. `impersonated` are service accounts of Google Cloud.
  Principals(const asio::any_io_executor& executor, Platform& platform,
             const std::optional<std::filesystem::path>& google_ca, std::vector<std::string> impersonated,
             std::string iam_url = kIamCredentialsUrl);

  /// ID tokens for `audience`, of the machine's own account where it has one, and of each impersonated one,
  /// all of which are asked for at once. Throws Error when one can't be had.
  base::Awaitable<std::vector<std::string>> id_tokens(std::string audience);

 private:
  base::Awaitable<void> impersonate(std::string account, std::string audience, std::string& token);

  Platform& platform_;
  IamCredentials iam_;
  std::vector<std::string> impersonated_;
};

}  // namespace launcher
