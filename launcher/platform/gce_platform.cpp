#include "launcher/platform/gce_platform.h"

#include <algorithm>

#include "base/json.h"
#include "net/checked_text.h"

namespace launcher {
namespace {

/// An access token is renewed this long before it ends.
constexpr std::chrono::seconds kRenewBefore{60};
constexpr std::uint64_t kMaxTokenSeconds = 24 * 3600;
constexpr auto kAccessToken = "metadata server: access token";
/// A token, when it ends, and what it is for.
constexpr base::JsonLimits kAccessTokenLimits{.max_bytes = 2 * net::kMaxTokenBytes, .max_depth = 4};

}  // namespace

GcePlatform::GcePlatform(asio::any_io_executor executor, base::Clock clock)
    : server_(std::move(executor), MetadataServer::host_from_environment()), clock_(std::move(clock)) {}

base::Awaitable<Attributes> GcePlatform::attributes() {
  constexpr base::RetryPolicy kOneTry;
  co_return parse_attributes(co_await server_.require("instance/attributes/?recursive=true", kOneTry));
}

base::Awaitable<std::optional<Location>> GcePlatform::location() {
  Location location;
  location.project_id = co_await server_.require_name("project/project-id");
  const std::string zone = co_await server_.require("instance/zone");  // projects/N/zones/Z
  location.zone = net::checked_name(zone.substr(zone.rfind('/') + 1), "metadata server: instance/zone");
  co_return location;
}

base::Awaitable<std::optional<std::string>> GcePlatform::instance_name() {
  co_return co_await server_.get_name("instance/name");
}

base::Awaitable<std::optional<std::string>> GcePlatform::access_token() {
  if (clock_.since_boot() < access_token_expires_) co_return access_token_;
  const auto text = co_await server_.get("instance/service-accounts/default/token");
  if (!text) co_return std::nullopt;
  const base::Json document = base::parse_json(*text, kAccessToken, kAccessTokenLimits);
  const base::JsonObject json(document, kAccessToken);
  std::string token = net::checked_token(json.string("access_token"), kAccessToken);
  const std::chrono::seconds life(std::min(json.optional_unsigned("expires_in").value_or(0), kMaxTokenSeconds));
  access_token_ = std::move(token);
  access_token_expires_ = clock_.since_boot() + life - kRenewBefore;
  co_return access_token_;
}

base::Awaitable<std::optional<std::string>> GcePlatform::identity_token(std::string audience) {
  co_return co_await server_.identity_token(std::move(audience));
}

}  // namespace launcher
