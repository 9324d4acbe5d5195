#include "launcher/platform/iam_credentials.h"

#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/retry.h"
#include "net/checked_text.h"
#include "net/http.h"

namespace launcher {
namespace {

constexpr base::RetryPolicy kRetries{.max_attempts = 3,
                                     .first_delay = base::Milliseconds(500),
                                     .multiplier = 2.0,
                                     .max_delay = base::Milliseconds(1000),
                                     .jitter = 0.1,
                                     .max_retry_after = base::Milliseconds(3200)};
constexpr auto kName = "IAM credentials";

}  // namespace

IamCredentials::IamCredentials(asio::any_io_executor executor, Platform& platform,
                               const std::optional<std::filesystem::path>& ca_file, std::string url)
    : executor_(executor), url_(std::move(url)), api_(executor, kName, platform, ca_file) {}

base::Awaitable<std::string> IamCredentials::id_token(std::string account, std::string audience) {
  const std::string url = url_ + "/v1/projects/-/serviceAccounts/" + net::url_encode(account) + ":generateIdToken";
  const base::Json body = {{"audience", audience}, {"includeEmail", true}};
  const auto attempt = [&] { return api_.post(url, body); };
  try {
    const base::Json answer = co_await base::retry(executor_, kRetries, attempt);
    std::string token = base::JsonObject(answer, kName).string("token");
    co_return net::checked_token(std::move(token), "IAM credentials: token");
  } catch (const base::Error& error) {
    throw error.in_context("failed to get impersonated token for " + account);
  }
}

}  // namespace launcher
