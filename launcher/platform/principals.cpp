#include "launcher/platform/principals.h"

#include <optional>
#include <utility>

#include "base/error.h"

namespace launcher {

Principals::Principals(const asio::any_io_executor& executor, Platform& platform,
                       const std::optional<std::filesystem::path>& google_ca, std::vector<std::string> impersonated,
                       std::string iam_url)
    : platform_(platform), iam_(executor, google_ca, std::move(iam_url)), impersonated_(std::move(impersonated)) {}

base::Awaitable<std::vector<std::string>> Principals::id_tokens(std::string audience) {
  std::vector<std::string> tokens;
  std::optional<std::string> own = co_await platform_.identity_token(audience);
  if (own) tokens.push_back(std::move(*own));
  if (impersonated_.empty()) co_return tokens;
  const std::optional<std::string> access_token = co_await platform_.access_token();
  if (!access_token) {
    throw base::Error("failed to get impersonated token for " + impersonated_.front() +
                      ": the machine has no service account");
  }
  for (const std::string& account : impersonated_) {
    std::string token = co_await iam_.id_token(account, audience, *access_token);
    tokens.push_back(std::move(token));
  }
  co_return tokens;
}

}  // namespace launcher
