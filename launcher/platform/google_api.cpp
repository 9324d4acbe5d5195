#include "launcher/platform/google_api.h"

#include <utility>

#include "base/error.h"

namespace launcher {
namespace {

constexpr net::HttpLimits kLimits{.max_body_bytes = std::size_t{64} << 10U, .timeout = base::Milliseconds(5000)};

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

GoogleApi::GoogleApi(const asio::any_io_executor& executor, std::string name,
                     const std::optional<std::filesystem::path>& ca_file)
    : name_(std::move(name)), client_(executor, ca_file) {}

base::Awaitable<base::Json> GoogleApi::post(std::string url, std::string access_token, base::Json body) {
  net::HttpRequest request{
      .method = "POST",
      .url = std::move(url),
      .headers = {{"Authorization", "Bearer " + access_token}, {"Content-Type", "application/json"}},
      .body = body.dump(-1, ' ', false, base::Json::error_handler_t::replace)};
  const net::HttpResponse response = co_await client_.send(std::move(request), kLimits);
  if (response.status != 200) {
    base::Error failure(name_ + " answered with status " + std::to_string(response.status) +
                        message_of(response, name_));
    if (net::may_pass(response.status)) {
      failure.set_transience(base::Transience::kMayPass, net::retry_after(response));
    }
    throw base::Error(failure);
  }
  co_return base::parse_json(response.body, name_, {.max_bytes = kLimits.max_body_bytes});
}

}  // namespace launcher
