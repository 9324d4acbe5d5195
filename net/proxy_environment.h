#pragma once

#include <optional>
#include <string>

#include "net/http.h"

namespace net {

/// The HTTP proxy through which a URL is reached.
struct HttpProxy {
  HttpUrl url;                ///< http:// only
  std::string authorization;  ///< value of Proxy-Authorization, or empty
};

/// What HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or in lower case, which counts first) say, read as curl and Go's net/http
/// read them:
///   - a proxy is [http://][user[:password]@]host[:port], port 80 if none is given;
///   - NO_PROXY is a list, separated by commas, of host names (subdomains included), names with a dot in front
///     (subdomains only), addresses and networks, each perhaps with a port; or "*" for everything.
/// Loopback is never reached through a proxy.
class ProxyEnvironment {
 public:
  static ProxyEnvironment of_process();
  ProxyEnvironment(std::string http_proxy, std::string https_proxy, std::string no_proxy)
      : http_proxy_(std::move(http_proxy)), https_proxy_(std::move(https_proxy)), no_proxy_(std::move(no_proxy)) {}

  /// Throws InvalidInput that names the variable, and never what it holds.
  std::optional<HttpProxy> proxy_for(const HttpUrl& url) const;

 private:
  bool is_excepted(const HttpUrl& url) const;

  std::string http_proxy_;
  std::string https_proxy_;
  std::string no_proxy_;
};

}  // namespace net
