#include "launcher/platform/metadata_server.h"

#include <cstdlib>

#include "net/checked_text.h"

namespace launcher {
namespace {

constexpr net::HttpLimits kAnswerLimits{.max_body_bytes = std::size_t{4} << 20U, .timeout = base::Milliseconds(5000)};

const std::string kServer = "metadata server: ";

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
    response = co_await client_.send(std::move(request), kAnswerLimits);
  } catch (const net::HttpError& error) {
    throw error.in_context("metadata server");
  }
  if (net::may_pass(response.status)) {
    base::Error failure(kServer + path + " answered with status " + std::to_string(response.status));
    failure.set_transience(base::Transience::kMayPass, net::retry_after(response));
    throw base::Error(failure);
  }
  if (response.header("Metadata-Flavor") != "Google") {
    throw base::Error(kServer + "the answer lacks \"Metadata-Flavor: Google\", so it comes from somebody else");
  }
  co_return response;
}

base::Awaitable<std::optional<std::string>> MetadataServer::get(std::string path, base::RetryPolicy retries) {
  const auto attempt = [this, &path] { return try_once(path); };
  net::HttpResponse response = co_await base::retry(executor_, retries, attempt);
  if (response.status == net::status::kNotFound) co_return std::nullopt;
  if (response.status != net::status::kOk) {
    throw base::Error(kServer + path + " answered with status " + std::to_string(response.status));
  }
  co_return std::move(response.body);
}

base::Awaitable<std::string> MetadataServer::require(std::string path, base::RetryPolicy retries) {
  auto text = co_await get(path, retries);
  if (!text) throw base::Error(kServer + path + " does not exist");
  co_return std::move(*text);
}

base::Awaitable<std::optional<std::string>> MetadataServer::get_name(std::string path) {
  std::optional<std::string> text = co_await get(path);
  if (text) *text = net::checked_name(std::move(*text), kServer + path);
  co_return text;
}

base::Awaitable<std::string> MetadataServer::require_name(std::string path) {
  std::string text = co_await require(path);
  co_return net::checked_name(std::move(text), kServer + path);
}

base::Awaitable<std::optional<std::string>> MetadataServer::identity_token(std::string audience) {
  std::optional<std::string> token =
      co_await get("instance/service-accounts/default/identity?audience=" + net::url_encode(audience) + "&format=full");
  if (token) *token = net::checked_token(std::move(*token), kServer + "identity token");
  co_return token;
}

}  // namespace launcher
