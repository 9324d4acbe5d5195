#include "attest/metadata_server.h"

#include <cstdlib>

#include "base/retry.h"

namespace attest {
namespace {

// The retry policy of Google's own client: five retries from 100 ms on 5xx and on failures of the network.
constexpr base::RetryPolicy kRetries{.max_attempts = 6,
                                     .first_delay = base::Milliseconds(100),
                                     .multiplier = 2.0,
                                     .max_delay = base::Milliseconds(3200),
                                     .jitter = 0.1};
constexpr base::HttpLimits kLimits{.max_body_bytes = std::size_t{4} << 20U, .timeout = base::Milliseconds(5000)};

constexpr auto kName = "metadata server: ";

bool is_broken(const base::Error& error) {
  const auto* http = dynamic_cast<const base::HttpError*>(&error);
  return http != nullptr && http->kind() == base::HttpError::Kind::kProtocol;
}

/// A failure that another try may not meet.
bool may_pass(const base::Error& error) {
  return is_broken(error) || dynamic_cast<const MetadataUnavailable*>(&error) != nullptr;
}

bool is_absence(const base::HttpError& error) {
  return error.kind() == base::HttpError::Kind::kConnect || error.kind() == base::HttpError::Kind::kTimeout;
}

}  // namespace

MetadataServer::MetadataServer(asio::any_io_executor executor, std::string host)
    : executor_(executor), base_url_("http://" + std::move(host) + "/computeMetadata/v1/"), client_(executor) {}

std::string MetadataServer::host_from_environment() {
  const char* host = std::getenv("GCE_METADATA_HOST");
  return host != nullptr && *host != '\0' ? host : "169.254.169.254";
}

base::Awaitable<base::HttpResponse> MetadataServer::try_once(std::string path) {
  base::HttpRequest request{.url = base_url_ + path};
  request.headers.push_back({"Metadata-Flavor", "Google"});
  base::HttpResponse response;
  try {
    response = co_await client_.send(std::move(request), kLimits);
  } catch (const base::HttpError& error) {
    if (is_absence(error)) throw MetadataUnavailable(std::string(kName) + error.what());
    throw base::HttpError(error.kind(), std::string(kName) + error.what());
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
  base::HttpResponse response = co_await base::retry(executor_, kRetries, attempt, is_transient);
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

base::Awaitable<std::optional<std::string>> MetadataServer::identity_token(std::string audience) {
  co_return co_await get("instance/service-accounts/default/identity?audience=" + base::url_encode(audience) +
                         "&format=full");
}

}  // namespace attest
