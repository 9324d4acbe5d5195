#include "net/proxy_environment.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include "base/ascii.h"
#include "base/encoding.h"
#include "net/ip_network.h"

namespace net {
namespace {

std::string environment(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr || *value == '\0') value = std::getenv(upper);
  return value == nullptr ? "" : value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// One entry of NO_PROXY, without a port.
bool names(std::string_view entry, const std::string& host) {
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (const auto network = IpNetwork::parse(entry)) {
    boost::system::error_code code;
    const auto address = asio::ip::make_address(host, code);
    return !code && network->contains(address);
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) return host.size() > entry.size() && host.ends_with(entry);
  if (host == entry) return true;
  return host.size() > entry.size() && host.ends_with(entry) && host[host.size() - entry.size() - 1] == '.';
}

bool excepts(std::string_view entry, const std::string& host, const std::string& port) {
  if (entry.empty()) return false;
  if (entry == "*" || names(entry, host)) return true;
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string_view::npos || !is_port(entry.substr(colon + 1))) return false;
  return entry.substr(colon + 1) == port && names(entry.substr(0, colon), host);
}

HttpProxy parse_proxy(const std::string& text, const char* variable) {
  const std::string with_scheme = text.find("://") == std::string::npos ? "http://" + text : text;
  auto parsed = boost::urls::parse_uri(with_scheme);
  if (!parsed) throw base::InvalidInput(variable, "is not the URL of a proxy");
  boost::urls::url url(*parsed);
  if (url.scheme() != "http")
    throw base::InvalidInput(variable, "only proxies that are spoken to in plain http are supported");
  HttpProxy proxy;
  if (url.has_userinfo()) {
    const std::string pair = std::string(url.user()) + ":" + std::string(url.password());
    proxy.authorization = "Basic " + base::base64_encode(base::view_of(pair));
    url.remove_userinfo();
  }
  url.remove_fragment();
  proxy.url = HttpUrl::parse(std::string_view(url.buffer().data(), url.buffer().size()), variable);
  return proxy;
}

}  // namespace

ProxyEnvironment ProxyEnvironment::of_process() {
  return {environment("http_proxy", "HTTP_PROXY"), environment("https_proxy", "HTTPS_PROXY"),
          environment("no_proxy", "NO_PROXY")};
}

bool ProxyEnvironment::is_excepted(const HttpUrl& url) const {
  const std::string host = base::lower_case(url.host);
  const std::string list = base::lower_case(no_proxy_);
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (excepts(trimmed(std::string_view(list).substr(begin, end - begin)), host, url.port)) return true;
    begin = end + 1;
  }
  return false;
}

std::optional<HttpProxy> ProxyEnvironment::proxy_for(const HttpUrl& url) const {
  const std::string& proxy = url.tls ? https_proxy_ : http_proxy_;
  if (proxy.empty() || url.is_loopback() || is_excepted(url)) return std::nullopt;
  return parse_proxy(proxy, url.tls ? "HTTPS_PROXY" : "HTTP_PROXY");
}

}  // namespace net
