#include "launcher/platform/gce_platform.h"

#include <algorithm>

#include "base/json.h"
#include "base/service_wait.h"
#include "launcher/host/network.h"
#include "net/checked_text.h"

namespace launcher {
namespace {

/// An access token is renewed this long before it ends.
constexpr std::chrono::seconds kRenewBefore{60};
constexpr std::uint64_t kMaxTokenSeconds = 24 * 3600;
constexpr auto kAccessToken = "metadata server: access token";
/// A token, when it ends, and what it is for.
constexpr base::JsonLimits kAccessTokenLimits{.max_bytes = 2 * net::kMaxTokenBytes, .max_depth = 4};

base::Awaitable<void> expect_route(std::string host) {
  const std::optional<std::string> obstacle = why_unroutable(host);
  if (!obstacle) co_return;
  base::Error failure(*obstacle);
  failure.set_transience(base::Transience::kMayPass);
  throw base::Error(failure);
}

}  // namespace

GcePlatform::GcePlatform(asio::any_io_executor executor, base::Clock clock, std::chrono::seconds patience)
    : executor_(std::move(executor)),
      host_(MetadataServer::host_from_environment()),
      server_(executor_, host_),
      clock_(std::move(clock)),
      patience_(patience) {}

base::Awaitable<Attributes> GcePlatform::attributes() {
  co_await wait_for_network();
  Attributes attributes;
  base::ServiceWait::Attempt read = [this, &attributes] { return read_attributes(attributes); };
  base::ServiceWait wait(executor_, clock_, "metadata server", patience_);
  co_await wait.until(std::move(read));
  co_return attributes;
}

base::Awaitable<void> GcePlatform::wait_for_network() {
  const net::HttpUrl url = net::HttpUrl::parse("http://" + host_, "GCE_METADATA_HOST");
  if (url.is_loopback()) co_return;
  base::ServiceWait::Attempt look = [host = url.host] { return expect_route(host); };
  base::ServiceWait wait(executor_, clock_, "network", patience_);
  co_await wait.until(std::move(look));
}

base::Awaitable<void> GcePlatform::read_attributes(Attributes& attributes) {
  constexpr base::RetryPolicy kOneTry;
  attributes = parse_attributes(co_await server_.require("instance/attributes/?recursive=true", kOneTry));
}

base::Awaitable<std::optional<Location>> GcePlatform::location() {
  Location location;
  location.project_id = co_await server_.require_name("project/project-id");
  const std::string zone = co_await server_.require("instance/zone");  // projects/N/zones/Z
  location.zone = net::checked_name(zone.substr(zone.rfind('/') + 1), "metadata server: instance/zone");
  co_return location;
}

base::Awaitable<std::optional<GceInstance>> GcePlatform::gce_instance() {
  const std::optional<Location> here = co_await location();
  std::string id = co_await server_.require_name("instance/id");
  GceInstance instance{.project_id = here->project_id, .zone = here->zone, .id = std::move(id)};
  co_return instance;
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

void GcePlatform::forget_access_token() { access_token_expires_ = {}; }

base::Awaitable<std::optional<std::string>> GcePlatform::identity_token(std::string audience) {
  co_return co_await server_.identity_token(std::move(audience));
}

}  // namespace launcher
