#include "launcher/platform/google_api.h"

#include <utility>

#include "base/error.h"

namespace launcher {
namespace {

constexpr net::HttpLimits kApiLimits{.max_body_bytes = std::size_t{64} << 10U, .timeout = base::Milliseconds(5000)};

/// Nothing when the API says something else.
std::string message_of(const net::HttpResponse& response, const std::string& api) {
  constexpr std::size_t kMaxShown = 500;
  try {
    const base::Json document = base::parse_json(response.body, api);
    return ": " + base::JsonObject(document, api).object("error").string("message").substr(0, kMaxShown);
  } catch (const base::InvalidInput&) {
    return {};
  }
}

}  // namespace

GoogleApi::GoogleApi(const asio::any_io_executor& executor, std::string name, Platform& platform,
                     const std::optional<std::filesystem::path>& ca_file)
    : name_(std::move(name)), platform_(platform), client_(executor, ca_file) {}

base::Awaitable<base::Json> GoogleApi::post(std::string url, base::Json body) {
  const std::string text = body.dump(-1, ' ', false, base::Json::error_handler_t::replace);
  net::HttpResponse response = co_await send(url, text);
  if (response.status == net::status::kUnauthorized) {
    platform_.forget_access_token();
    response = co_await send(url, text);
  }
  if (response.status != net::status::kOk) {
    base::Error failure(name_ + " answered with status " + std::to_string(response.status) +
                        message_of(response, name_));
    if (net::may_pass(response.status)) {
      failure.set_transience(base::Transience::kMayPass, net::retry_after(response));
    }
    throw base::Error(failure);
  }
  co_return base::parse_json(response.body, name_, {.max_bytes = kApiLimits.max_body_bytes});
}

base::Awaitable<net::HttpResponse> GoogleApi::send(const std::string& url, const std::string& body) {
  const std::optional<std::string> access_token = co_await platform_.access_token();
  if (!access_token) throw base::Error(name_ + ": the machine has no service account");
  net::HttpRequest request{
      .method = "POST",
      .url = url,
      .headers = {{"Authorization", "Bearer " + *access_token}, {"Content-Type", "application/json"}},
      .body = body};
  co_return co_await client_.send(std::move(request), kApiLimits);
}

}  // namespace launcher
