#include "launcher/metadata/gce_metadata.h"

#include <algorithm>

#include "base/json.h"

namespace launcher {
namespace {

/// An access token is renewed this long before it ends.
constexpr std::chrono::seconds kRenewBefore{60};
constexpr std::uint64_t kMaxTokenSeconds = 24 * 3600;

}  // namespace

GceMetadata::GceMetadata(asio::any_io_executor executor, base::Clock clock)
    : server_(std::move(executor), attest::MetadataServer::host_from_environment()), clock_(std::move(clock)) {}

base::Awaitable<Attributes> GceMetadata::attributes() {
  constexpr auto kRetries = attest::MetadataServer::Retries::kBroken;
  co_return parse_attributes(co_await server_.require("instance/attributes/?recursive=true", kRetries));
}

base::Awaitable<std::optional<Location>> GceMetadata::location() {
  Location location;
  location.project_id = co_await server_.require("project/project-id");
  const std::string zone = co_await server_.require("instance/zone");  // projects/N/zones/Z
  location.zone = zone.substr(zone.rfind('/') + 1);
  co_return location;
}

base::Awaitable<std::optional<std::string>> GceMetadata::instance_name() {
  co_return co_await server_.get("instance/name");
}

base::Awaitable<std::optional<std::string>> GceMetadata::access_token() {
  if (clock_.since_boot() < access_token_expires_) co_return access_token_;
  const auto text = co_await server_.get("instance/service-accounts/default/token");
  if (!text) co_return std::nullopt;
  const base::Json document = base::parse_json(*text, "access token");
  const base::JsonObject json(document, "access token");
  access_token_ = json.string("access_token");
  const std::chrono::seconds life(std::min(json.optional_unsigned("expires_in").value_or(0), kMaxTokenSeconds));
  access_token_expires_ = clock_.since_boot() + life - kRenewBefore;
  co_return access_token_;
}

base::Awaitable<std::optional<std::string>> GceMetadata::identity_token(std::string audience) {
  co_return co_await server_.identity_token(std::move(audience));
}

}  // namespace launcher
