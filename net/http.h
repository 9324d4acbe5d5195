#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/peer.h"

namespace net {

struct HttpHeader {
  std::string name;
  std::string value;
};

/// The first header of that name (case does not matter), or an empty view.
std::string_view find_header(const std::vector<HttpHeader>& headers, std::string_view name);

/// What a client sends.
struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://, absolute
  std::vector<HttpHeader> headers = {};
  std::string body = {};
};

/// What a server received. `path` is the raw path of the target: nothing is decoded or normalised, so that one resource
/// has one spelling.
struct HttpServerRequest {
  std::string method;
  std::string path;
  std::string query;
  std::vector<HttpHeader> headers;
  std::string body;
  Peer peer = {};  ///< who asks

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

struct HttpResponse {
  unsigned status = 200;
  std::vector<HttpHeader> headers = {};
  std::string body = {};

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

/// A request that brought no complete response. An answer with any status is not an error at this level.
class HttpError : public base::Error {
 public:
  enum class Kind {
    kConnect,   ///< no connection: no such name, no route, nobody listens, or nobody behind who does
    kTls,       ///< the peer's certificate or the handshake
    kTimeout,   ///< no answer in time, or too slow a one
    kTooLarge,  ///< more bytes than the caller takes
    kBroken,    ///< the connection ended before the answer did
    kProtocol,  ///< not HTTP
  };

  /// kConnect, kTimeout and kBroken may pass; a wrong certificate stays wrong, and so does what is no HTTP.
  HttpError(Kind kind, const std::string& message);

  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// Of a response, as far as anybody decides by it (RFC 9110 section 15).
namespace status {
inline constexpr unsigned kOk = 200;
inline constexpr unsigned kPartialContent = 206;
inline constexpr unsigned kUnauthorized = 401;
inline constexpr unsigned kNotFound = 404;
inline constexpr unsigned kRequestTimeout = 408;
inline constexpr unsigned kTooManyRequests = 429;
inline constexpr unsigned kNotImplemented = 501;
}  // namespace status

/// Whether who answered with this status may answer otherwise when it is asked again: 408, 429 and 5xx (RFC 9110
/// section 15).
bool may_pass(unsigned status);

/// In how many seconds to come back, cut to a day; nothing when the answer does not say, or gives a date (RFC 9110
/// section 10.2.3).
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

/// An absolute http:// or https:// URL in the parts that a client needs.
struct HttpUrl {
  bool tls = false;
  std::string host;    ///< without the brackets of an IPv6 address
  std::string port;    ///< decimal
  std::string target;  ///< path and query, at least "/"

  /// Throws InvalidInput(`field`) for another scheme, user information, a fragment, or what is no URL at all.
  static HttpUrl parse(std::string_view url, std::string_view field);

  std::string host_in_brackets() const;  ///< brackets for an IPv6 address only
  std::string authority() const;         ///< host[:port] as the Host header wants it
  std::string origin() const;            ///< scheme://host:port
  bool is_loopback() const;              ///< localhost, 127.0.0.0/8 or ::1
};

/// Percent-encodes all but RFC 3986's unreserved characters.
std::string url_encode(std::string_view text);

}  // namespace net
