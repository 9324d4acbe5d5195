#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "base/bytes.h"
#include "base/http.h"

namespace base {

struct HttpLimits {
  std::size_t max_body_bytes = std::size_t{1} << 20U;
  /// From the start of the request to the end of the response.
  Milliseconds timeout{10000};
  /// For `stream` only: how long the whole may take grows with what has arrived, at this rate.
  std::size_t min_bytes_per_second = std::size_t{16} << 10U;
};

/// An HTTP/1.1 client that keeps connections alive, verifies TLS peers, bounds every request in bytes and time, and
/// follows no redirect by itself. Uses HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment, never for loopback.
class HttpClient {
 public:
  /// `ca_file` holds the only trusted roots, in PEM; without it the system's are trusted.
  explicit HttpClient(asio::any_io_executor executor, const std::optional<std::filesystem::path>& ca_file = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Throws HttpError.
  Awaitable<HttpResponse> send(HttpRequest request, HttpLimits limits);

  using Sink = std::function<Awaitable<void>(ByteView)>;
  /// Like `send`, but hands the body of a 200 or 206 to `sink` piece by piece instead of keeping it; any other answer
  /// is returned whole with `limits.max_body_bytes` at most 64 KiB.
  Awaitable<HttpResponse> stream(HttpRequest request, HttpLimits limits, Sink sink);

 private:
  class Connection;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace base
