#include "attest/metadata_server.h"

#include <cstdlib>

#include "base/error.h"
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

/// A failure that another try may not meet.
class MetadataUnavailable : public base::Error {
 public:
  using base::Error::Error;
};

bool may_pass(const base::Error& error) { return dynamic_cast<const MetadataUnavailable*>(&error) != nullptr; }

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
    throw MetadataUnavailable(std::string("metadata server: ") + error.what());
  }
  if (response.status >= 500 || response.status == 429) {
    throw MetadataUnavailable("metadata server: " + path + " answered with status " + std::to_string(response.status));
  }
  if (response.header("Metadata-Flavor") != "Google") {
    throw base::Error("metadata server: the answer lacks \"Metadata-Flavor: Google\", so it comes from somebody else");
  }
  co_return response;
}

base::Awaitable<std::optional<std::string>> MetadataServer::get(std::string path) {
  const auto attempt = [this, &path] { return try_once(path); };
  base::HttpResponse response = co_await base::retry(executor_, kRetries, attempt, may_pass);
  if (response.status == 404) co_return std::nullopt;
  if (response.status != 200) {
    throw base::Error("metadata server: " + path + " answered with status " + std::to_string(response.status));
  }
  co_return std::move(response.body);
}

base::Awaitable<std::string> MetadataServer::require(std::string path) {
  auto text = co_await get(path);
  if (!text) throw base::Error("metadata server: " + path + " does not exist");
  co_return std::move(*text);
}

base::Awaitable<std::optional<std::string>> MetadataServer::identity_token(std::string audience) {
  co_return co_await get("instance/service-accounts/default/identity?audience=" + base::url_encode(audience) +
                         "&format=full");
}

}  // namespace attest
