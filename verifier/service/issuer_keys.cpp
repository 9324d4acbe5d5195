#include "verifier/service/issuer_keys.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse_number.h"
#include "base/semaphore.h"
#include "base/text.h"

namespace verifier {
namespace {

constexpr std::chrono::seconds kUnstatedLifetime{3600};
constexpr std::chrono::seconds kShortestLifetime{60};
constexpr std::chrono::seconds kLongestLifetime{24 * 3600};
constexpr base::Milliseconds kFetchTimeout{10000};
constexpr base::Milliseconds kLongerThanAnyFetch{60000};

std::string url_of_issuer(const std::string& issuer) {
  return issuer.find("://") == std::string::npos ? "https://" + issuer : issuer;
}

base::Awaitable<net::HttpResponse> get(net::HttpClient& http, std::string url, std::size_t max_bytes) {
  const net::HttpUrl parsed = net::HttpUrl::parse(url, "URL of an issuer's keys");
  if (!parsed.tls && !parsed.is_loopback()) throw base::Error(url + ": keys are taken over https only");
  net::HttpRequest request;
  request.url = url;
  net::HttpResponse response =
      co_await http.send(std::move(request), {.max_body_bytes = max_bytes, .timeout = kFetchTimeout});
  if (response.status != net::status::kOk) {
    throw base::Error(url + ": answers with HTTP " + std::to_string(response.status));
  }
  co_return response;
}

std::string jwks_uri_in(const net::HttpResponse& response, const std::string& issuer) {
  const base::Json parsed = base::parse_json(response.body, "discovery document", {.max_bytes = kMaxDiscoveryBytes});
  const base::JsonObject document(parsed, "discovery document");
  if (document.string("issuer") != issuer) {
    throw base::InvalidInput("discovery document.issuer", "is not " + issuer);
  }
  return document.string("jwks_uri");
}

}  // namespace

std::chrono::seconds cache_lifetime_of(const net::HttpResponse& response) {
  std::chrono::seconds lifetime = kUnstatedLifetime;
  for (const std::string& directive : base::split(response.header("Cache-Control"), ',')) {
    const std::string text = base::lower_case(base::words_of(directive).empty() ? "" : base::words_of(directive)[0]);
    constexpr std::string_view kMaxAge = "max-age=";
    if (text == "no-store" || text == "no-cache") return kShortestLifetime;
    if (!text.starts_with(kMaxAge)) continue;
    const auto age = base::parse_number(std::string_view(text).substr(kMaxAge.size()));
    if (age) lifetime = std::chrono::seconds(std::min<std::uint64_t>(*age, kLongestLifetime.count()));
  }
  const auto age = base::parse_number(response.header("Age"));
  if (age) lifetime -= std::chrono::seconds(std::min<std::uint64_t>(*age, kLongestLifetime.count()));
  return std::clamp(lifetime, kShortestLifetime, kLongestLifetime);
}

base::Awaitable<PublishedKeys> fetch_published_keys(net::HttpClient& http, std::string issuer) {
  const net::HttpResponse discovery =
      co_await get(http, issuer + "/.well-known/openid-configuration", kMaxDiscoveryBytes);
  const std::string uri = jwks_uri_in(discovery, issuer);
  const net::HttpResponse keys = co_await get(http, uri, kMaxIssuerKeysBytes);
  co_return PublishedKeys{.keys = evidence::parse_jwks(keys.body, uri), .lifetime = cache_lifetime_of(keys)};
}

struct IssuerKeys::Issuer {
  Issuer(const asio::any_io_executor& executor, IssuerConfig c)
      : config(std::move(c)), http(executor, config.ca), one_fetch(executor, 1) {}

  IssuerConfig config;
  net::HttpClient http;
  base::Semaphore one_fetch;
  std::shared_ptr<const std::vector<evidence::Jwk>> keys;
  std::optional<std::chrono::nanoseconds> tried;  ///< since boot
  std::chrono::nanoseconds fresh_until{0};        ///< since boot: then they are fetched anew
  std::chrono::nanoseconds good_until{0};  ///< since boot: then they are good for nothing, though others can't be had
};

IssuerKeys::IssuerKeys(asio::any_io_executor executor, base::Clock clock)
    : executor_(std::move(executor)), clock_(std::move(clock)) {}

IssuerKeys::~IssuerKeys() = default;

void IssuerKeys::use(const std::vector<IssuerConfig>& issuers) {
  std::vector<std::shared_ptr<Issuer>> wanted;
  for (const IssuerConfig& config : issuers) {
    if (config.jwks) continue;
    const auto known = std::ranges::find_if(issuers_, [&](const auto& issuer) { return issuer->config == config; });
    wanted.push_back(known == issuers_.end() ? std::make_shared<Issuer>(executor_, config) : *known);
  }
  issuers_ = std::move(wanted);
}

IdentityTokens IssuerKeys::with(const IdentityTokens& from_files) const {
  std::vector<IdentityTokenIssuer> all = from_files.issuers();
  for (const auto& issuer : issuers_) {
    // Past their time they are as good as none, so that who needs one has them fetched.
    const bool usable = issuer->keys && clock_.since_boot() < issuer->fresh_until;
    all.push_back({issuer->config.issuer, usable ? issuer->keys : nullptr, true});
  }
  return IdentityTokens(std::move(all));
}

base::Awaitable<bool> IssuerKeys::refresh(std::string issuer) {
  const auto found = std::ranges::find_if(issuers_, [&](const auto& each) { return each->config.issuer == issuer; });
  if (found == issuers_.end()) co_return false;
  const std::shared_ptr<Issuer> wanted = *found;
  const auto keys_before = wanted->keys;
  const auto fresh_before = wanted->fresh_until;
  const auto place = co_await wanted->one_fetch.enter(kLongerThanAnyFetch);
  const auto now = clock_.since_boot();
  if (place && (!wanted->tried || now - *wanted->tried >= kMinFetchInterval)) {
    wanted->tried = now;
    co_await fetch(wanted);
  }
  co_return wanted->keys != keys_before || wanted->fresh_until != fresh_before;
}

base::Awaitable<void> IssuerKeys::fetch(std::shared_ptr<Issuer> issuer) {
  const std::string url = url_of_issuer(issuer->config.issuer);
  std::string failure;
  try {
    PublishedKeys published = co_await fetch_published_keys(issuer->http, url);
    issuer->keys = std::make_shared<const std::vector<evidence::Jwk>>(std::move(published.keys));
    issuer->fresh_until = clock_.since_boot() + published.lifetime;
    issuer->good_until = issuer->fresh_until + kMaxStale;
    base::log::info("fetched the keys of an issuer of ID tokens",
                    {{"issuer", url}, {"keys", std::to_string(issuer->keys->size())}});
    co_return;
  } catch (const base::Error& error) {
    failure = error.what();
  }
  base::log::warning("the keys of an issuer of ID tokens can't be fetched", {{"issuer", url}, {"error", failure}});
  // An issuer that is away for a while must not stop attestations; one that has been for a day may have changed them.
  const auto again = clock_.since_boot() + std::chrono::nanoseconds(kMinFetchInterval);
  issuer->fresh_until = std::max(issuer->fresh_until, std::min(again, issuer->good_until));
}

}  // namespace verifier
