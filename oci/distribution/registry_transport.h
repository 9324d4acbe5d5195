#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/asio.h"
#include "net/http_client.h"
#include "oci/reference.h"

namespace oci {

struct TransportLimits {
  base::Milliseconds connect_timeout{30000};  ///< for a connection to come about, with TLS
  /// For a manifest or a token, and until a blob begins. Caches that fetch from elsewhere first take minutes, and begin
  /// anew when they are asked again: who waited this long is not asked again.
  base::Milliseconds answer_timeout{10 * 60 * 1000};
  /// When the log says for the first time that an answer is waited for, and how often from then on.
  base::Milliseconds first_notice{10000};
  base::Milliseconds notice_interval{30000};
  std::size_t min_bytes_per_second = std::size_t{16} << 10U;  ///< slower blobs are given up,
  base::Milliseconds body_delay{30000};                       ///< when they are this much behind
  int max_redirects = 10;
};

/// One GET to a registry, or to a server of tokens.
struct RegistryRequest {
  std::string url;
  std::string what;  ///< for the log
  std::string accept = {};
  std::string range = {};
  std::size_t max_body_bytes;
  net::HttpClient::Sink take = {};  ///< the body of a 200 or 206, instead of the answer's
};

struct RegistryAnswer {
  net::HttpResponse response;
  bool is_from_origin;  ///< not from a host that the one asked redirected to
};

/// Sends requests to registries and follows where they redirect to. TLS always, except to this very machine.
class RegistryTransport {
 public:
  /// `http` must outlive it.
  explicit RegistryTransport(net::HttpClient& http, TransportLimits limits = {}) : http_(&http), limits_(limits) {}

  /// `authorization` is a header's value, or empty; no other host than the one asked gets to see it. Throws
  /// RegistryError, net::HttpError or base::InvalidInput.
  base::Awaitable<RegistryAnswer> get(RegistryRequest request, std::string authorization) const;

 private:
  base::Awaitable<net::HttpResponse> exchange(net::HttpRequest request, const RegistryRequest& asked) const;

  net::HttpClient* http_;
  TransportLimits limits_;
};

/// scheme://host[:port] of a registry. Plain HTTP is for a registry on this very machine only.
std::string registry_origin(const ImageReference& reference);

/// Throws InvalidInput for what is no URL, RegistryError for one without TLS that is not of this very machine.
net::HttpUrl parse_allowed(const std::string& url, std::string_view field);

/// The values of every header of that name.
std::vector<std::string> values_of(const net::HttpResponse& response, std::string_view name);

}  // namespace oci
