#include "oci/distribution/registry_transport.h"

#include <algorithm>
#include <array>
#include <utility>

#include "oci/distribution/location.h"
#include "oci/distribution/registry_error.h"
#include "oci/distribution/wait_notice.h"

namespace oci {
namespace {

using base::ByteView;
using net::HttpError;
using net::HttpResponse;
using net::HttpUrl;

bool is_redirect(unsigned status) {
  constexpr std::array<unsigned, 5> kRedirects = {301, 302, 303, 307, 308};
  return std::ranges::find(kRedirects, status) != kRedirects.end();
}

std::string redirect_target(const std::string& from, const HttpResponse& response) {
  const std::vector<std::string> locations = values_of(response, "Location");
  if (locations.empty()) throw RegistryError("the registry redirects without saying where to", response.status);
  if (std::ranges::any_of(locations, [&](const std::string& other) { return other != locations.front(); })) {
    throw RegistryError("the registry redirects to two places", response.status);
  }
  try {
    return resolve_location(from, locations.front());
  } catch (const base::InvalidInput& error) {
    throw RegistryError(std::string("the registry redirects: ") + error.what(), response.status);
  }
}

}  // namespace

HttpUrl parse_allowed(const std::string& url, std::string_view field) {
  HttpUrl parsed = HttpUrl::parse(url, field);
  if (!parsed.tls && !parsed.is_loopback()) throw RegistryError(std::string(field) + " is not protected by TLS", 0);
  return parsed;
}

std::string registry_origin(const ImageReference& reference) {
  const std::string host = reference.registry_host();
  const HttpUrl plain = HttpUrl::parse("http://" + host + "/", "registry host");
  return (plain.is_loopback() ? "http://" : "https://") + host;
}

std::vector<std::string> values_of(const HttpResponse& response, std::string_view name) {
  std::vector<std::string> values;
  for (const net::HttpHeader& header : response.headers) {
    if (!net::find_header({header}, name).empty()) values.push_back(header.value);
  }
  return values;
}

base::Awaitable<RegistryAnswer> RegistryTransport::get(RegistryRequest asked, std::string authorization) const {
  std::string url = asked.url;
  const std::string origin = parse_allowed(url, "registry").origin();
  for (int redirects = 0;; ++redirects) {
    const HttpUrl here = parse_allowed(url, "redirect");
    net::HttpRequest request;
    request.url = url;
    if (!asked.accept.empty()) request.headers.push_back({"Accept", asked.accept});
    if (!asked.range.empty()) request.headers.push_back({"Range", asked.range});
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization});
    HttpResponse response = co_await exchange(std::move(request), asked);
    if (!is_redirect(response.status)) {
      RegistryAnswer answer{std::move(response), here.origin() == origin};
      co_return answer;
    }
    if (redirects == limits_.max_redirects) throw RegistryError("the registry redirects too often", response.status);
    url = redirect_target(url, response);
    const HttpUrl next = parse_allowed(url, "redirect");
    if (here.tls && !next.tls) throw RegistryError("the registry redirects from https to http", response.status);
    if (next.origin() != origin) authorization.clear();  // for good: a way back would be the other host's choice
  }
}

/// One request and its answer.
base::Awaitable<HttpResponse> RegistryTransport::exchange(net::HttpRequest request,
                                                          const RegistryRequest& asked) const {
  const net::HttpLimits limits{.max_body_bytes = asked.max_body_bytes,
                               .timeout = limits_.answer_timeout,
                               .connect_timeout = limits_.connect_timeout,
                               .min_bytes_per_second = limits_.min_bytes_per_second,
                               .body_delay = limits_.body_delay};
  const auto executor = co_await asio::this_coro::executor;
  WaitNotice notice(executor, HttpUrl::parse(request.url, "URL").authority(), asked.what, limits_.first_notice,
                    limits_.notice_interval);
  bool has_begun = false;
  net::HttpClient::Sink sink;
  if (asked.take) {
    sink = [&](const HttpResponse& head, ByteView bytes) {
      has_begun = true;
      notice.end();
      return asked.take(head, bytes);
    };
  }
  const base::TimeService& time = base::TimeService::of(executor);
  const base::TimePoint began = time.now();
  try {
    co_return co_await http_->stream(std::move(request), limits, std::move(sink));
  } catch (const HttpError& error) {
    // Who was waited for that long is not asked again: it would begin anew.
    const bool took_all = time.now() - began >= limits_.answer_timeout;
    if (error.kind() != HttpError::Kind::kTimeout || has_begun || !took_all) throw;
    throw RegistryError(error.what(), 0);
  }
}

}  // namespace oci
