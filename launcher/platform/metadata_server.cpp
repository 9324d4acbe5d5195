#include "launcher/platform/metadata_server.h"

#include <algorithm>
#include <cstdlib>

#include "base/retry.h"
#include "net/checked_text.h"

namespace launcher {
namespace {

// The retry policy of Google's own client: five retries from 100 ms on 5xx and on failures of the network.
constexpr base::RetryPolicy kRetries{.max_attempts = 6,
                                     .first_delay = base::Milliseconds(100),
                                     .multiplier = 2.0,
                                     .max_delay = base::Milliseconds(3200),
                                     .jitter = 0.1};
constexpr net::HttpLimits kLimits{.max_body_bytes = std::size_t{4} << 20U, .timeout = base::Milliseconds(5000)};

const std::string kName = "metadata server: ";

bool is_broken(const base::Error& error) {
  const auto* http = dynamic_cast<const net::HttpError*>(&error);
  return http != nullptr && http->kind() == net::HttpError::Kind::kProtocol;
}

/// A failure that another try may not meet.
bool may_pass(const base::Error& error) {
  return is_broken(error) || dynamic_cast<const MetadataUnavailable*>(&error) != nullptr;
}

bool is_absence(const net::HttpError& error) {
  return error.kind() == net::HttpError::Kind::kConnect || error.kind() == net::HttpError::Kind::kTimeout;
}

}  // namespace

MetadataServer::MetadataServer(asio::any_io_executor executor, std::string host)
    : executor_(executor),
      base_url_("http://" + std::move(host) + "/computeMetadata/v1/"),
      client_(executor, std::nullopt, net::HttpClient::Proxies::kNone) {}

std::string MetadataServer::host_from_environment() {
  const char* host = std::getenv("GCE_METADATA_HOST");
  return host != nullptr && *host != '\0' ? host : "169.254.169.254";
}

base::Awaitable<net::HttpResponse> MetadataServer::try_once(std::string path) {
  net::HttpRequest request{.url = base_url_ + path};
  request.headers.push_back({"Metadata-Flavor", "Google"});
  net::HttpResponse response;
  try {
    response = co_await client_.send(std::move(request), kLimits);
  } catch (const net::HttpError& error) {
    if (is_absence(error)) throw MetadataUnavailable(kName + error.what());
    throw net::HttpError(error.kind(), kName + error.what());
  }
  if (response.status >= 500 || response.status == 429) {
    throw MetadataUnavailable("metadata server: " + path + " answered with status " + std::to_string(response.status));
  }
  if (response.header("Metadata-Flavor") != "Google") {
    throw base::Error("metadata server: the answer lacks \"Metadata-Flavor: Google\", so it comes from somebody else");
  }
  co_return response;
}

base::Awaitable<std::optional<std::string>> MetadataServer::get(std::string path, Retries retries) {
  const auto attempt = [this, &path] { return try_once(path); };
  const auto is_transient = retries == Retries::kAll ? may_pass : is_broken;
  net::HttpResponse response = co_await base::retry(executor_, kRetries, attempt, is_transient);
  if (response.status == 404) co_return std::nullopt;
  if (response.status != 200) {
    throw base::Error("metadata server: " + path + " answered with status " + std::to_string(response.status));
  }
  co_return std::move(response.body);
}

base::Awaitable<std::string> MetadataServer::require(std::string path, Retries retries) {
  auto text = co_await get(path, retries);
  if (!text) throw base::Error("metadata server: " + path + " does not exist");
  co_return std::move(*text);
}

base::Awaitable<std::optional<std::string>> MetadataServer::get_name(std::string path) {
  std::optional<std::string> text = co_await get(path);
  if (text) *text = net::checked_name(std::move(*text), kName + path);
  co_return text;
}

base::Awaitable<std::string> MetadataServer::require_name(std::string path) {
  std::string text = co_await require(path);
  co_return net::checked_name(std::move(text), kName + path);
}

base::Awaitable<std::optional<std::string>> MetadataServer::identity_token(std::string audience) {
  std::optional<std::string> token =
      co_await get("instance/service-accounts/default/identity?audience=" + net::url_encode(audience) + "&format=full");
  if (token) *token = net::checked_token(std::move(*token), "metadata server: identity token");
  co_return token;
}

}  // namespace launcher
