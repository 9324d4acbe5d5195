#include "launcher/platform/principals.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"

namespace launcher {

Principals::Principals(const asio::any_io_executor& executor, Platform& platform,
                       const std::optional<std::filesystem::path>& google_ca, std::vector<std::string> impersonated,
                       std::string iam_url)
    : platform_(platform),
      iam_(executor, platform, google_ca, std::move(iam_url)),
      impersonated_(std::move(impersonated)) {}

base::Awaitable<std::vector<std::string>> Principals::id_tokens(std::string audience) {
  std::vector<std::string> tokens;
  std::optional<std::string> own = co_await platform_.identity_token(audience);
  if (own) tokens.push_back(std::move(*own));
  if (impersonated_.empty()) co_return tokens;
  // Once for all of them.
  const std::optional<std::string> access_token = co_await platform_.access_token();
  if (!access_token) {
    throw base::Error("failed to get impersonated token for " + impersonated_.front() +
                      ": the machine has no service account");
  }
  std::vector<std::string> impersonated(impersonated_.size());
  base::TaskGroup group(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < impersonated.size(); ++i) {
    group.spawn(impersonate(impersonated_[i], audience, impersonated[i]));
  }
  co_await group.join();
  std::move(impersonated.begin(), impersonated.end(), std::back_inserter(tokens));
  co_return tokens;
}

base::Awaitable<void> Principals::impersonate(std::string account, std::string audience, std::string& token) {
  token = co_await iam_.id_token(std::move(account), std::move(audience));
}

}  // namespace launcher
