#include "launcher/platform/iam_credentials.h"

#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/retry.h"
#include "net/checked_text.h"

namespace launcher {
namespace {

constexpr base::RetryPolicy kRetries{.max_attempts = 3,
                                     .first_delay = base::Milliseconds(500),
                                     .multiplier = 2.0,
                                     .max_delay = base::Milliseconds(1000),
                                     .jitter = 0.1,
                                     .max_retry_after = base::Milliseconds(3200)};
constexpr net::HttpLimits kLimits{.max_body_bytes = std::size_t{64} << 10U, .timeout = base::Milliseconds(5000)};
constexpr auto kAnswer = "IAM credentials";

/// What the API says of itself (google.rpc.Status); nothing when it says something else.
std::string message_of(const net::HttpResponse& response) {
  constexpr std::size_t kMaxShown = 500;
  try {
    const base::Json document = base::parse_json(response.body, kAnswer);
    return ": " + base::JsonObject(document, kAnswer).object("error").string("message").substr(0, kMaxShown);
  } catch (const base::InvalidInput&) {
    return {};
  }
}

}  // namespace

IamCredentials::IamCredentials(asio::any_io_executor executor, const std::optional<std::filesystem::path>& ca_file,
                               std::string url)
    : executor_(executor), url_(std::move(url)), client_(executor, ca_file) {}

base::Awaitable<std::string> IamCredentials::id_token(std::string account, std::string audience,
                                                      std::string access_token) {
  const base::Json body = {{"audience", audience}, {"includeEmail", true}};
  net::HttpRequest request{
      .method = "POST",
      .url = url_ + "/v1/projects/-/serviceAccounts/" + net::url_encode(account) + ":generateIdToken",
      .headers = {{"Authorization", "Bearer " + access_token}, {"Content-Type", "application/json"}},
      .body = body.dump()};
  const auto attempt = [this, &request] { return try_once(request); };
  try {
    co_return co_await base::retry(executor_, kRetries, attempt);
  } catch (const base::Error& error) {
    throw error.in_context("failed to get impersonated token for " + account);
  }
}

base::Awaitable<std::string> IamCredentials::try_once(net::HttpRequest request) {
  const net::HttpResponse response = co_await client_.send(std::move(request), kLimits);
  if (response.status != 200) {
    base::Error failure("IAM credentials answered with status " + std::to_string(response.status) +
                        message_of(response));
    if (net::may_pass(response.status)) {
      failure.set_transience(base::Transience::kMayPass, net::retry_after(response));
    }
    throw base::Error(failure);
  }
  const base::Json document = base::parse_json(response.body, kAnswer, {.max_bytes = kLimits.max_body_bytes});
  std::string token = base::JsonObject(document, kAnswer).string("token");
  co_return net::checked_token(std::move(token), "IAM credentials: token");
}

}  // namespace launcher
