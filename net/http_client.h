#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "base/bytes.h"
#include "net/http.h"

namespace net {

/// The head of a response, one chunk's first line with its extensions, and all trailer fields.
inline constexpr std::size_t kMaxResponseHeaderBytes = std::size_t{64} << 10U;
/// Fields in the head, and in the trailer with it.
inline constexpr std::size_t kMaxResponseFields = 256;
/// Answers that are not yet the answer (status 1xx) before the one that is.
inline constexpr int kMaxInterimResponses = 8;
/// Connections kept open for the next request, to all servers together.
inline constexpr std::size_t kMaxIdleConnections = 16;
/// One that was kept for longer is closed: what stands on the way may have forgotten it, and would swallow a request.
inline constexpr std::chrono::seconds kMaxIdleTime{60};

struct HttpLimits {
  std::size_t max_body_bytes = std::size_t{1} << 20U;
  /// From the start of the request to the end of the response; for `stream`, to the first byte of its body.
  base::Milliseconds timeout{10000};
  /// Of that, for a connection to come about, with name look-up and TLS.
  base::Milliseconds connect_timeout{10000};
  /// For `stream` only: how long the body may take from then on grows with what has arrived, at this rate, ...
  std::size_t min_bytes_per_second = std::size_t{16} << 10U;
  /// ... and it may fall behind that by this much.
  base::Milliseconds body_delay{30000};
};

/// An HTTP/1.1 client that keeps connections alive, verifies TLS peers, bounds every request in bytes and time, and
/// follows no redirect by itself.
class HttpClient {
 public:
  /// Whether the proxies of the environment (ProxyEnvironment) are used.
  enum class Proxies { kOfEnvironment, kNone };

  /// `ca_file` holds the only trusted roots, in PEM; without it the system's are trusted.
  explicit HttpClient(asio::any_io_executor executor, const std::optional<std::filesystem::path>& ca_file = {},
                      Proxies proxies = Proxies::kOfEnvironment);
  /// Sends every request to the Unix socket at `path`, whatever host its URL names.
  static HttpClient over_unix_socket(asio::any_io_executor executor, const std::filesystem::path& path);
  HttpClient(HttpClient&&) noexcept;
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Throws HttpError. The body of a 4xx or 5xx that is longer than its limit is missing or cut off.
  base::Awaitable<HttpResponse> send(HttpRequest request, HttpLimits limits);

  using Sink = std::function<base::Awaitable<void>(const HttpResponse& head, base::ByteView piece)>;
  /// Like `send`, but hands the body of a 200 or 206 to `sink` piece by piece instead of keeping it; any other answer
  /// is returned with `limits.max_body_bytes` at most 64 KiB.
  base::Awaitable<HttpResponse> stream(HttpRequest request, HttpLimits limits, Sink sink);

 private:
  class Connection;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace net
