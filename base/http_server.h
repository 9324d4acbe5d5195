#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <sys/types.h>

#include "base/asio.h"
#include "base/http.h"

namespace base {

/// Every bound of an HttpServer. Past it the client gets the status named, or the connection is closed.
struct HttpServerLimits {
  std::size_t max_header_bytes = std::size_t{8} << 10U;  ///< 431
  std::size_t max_body_bytes = std::size_t{64} << 10U;   ///< 413
  std::size_t max_connections = 256;     ///< the connection that idled longest gives way; 503 when none idles
  Milliseconds idle_timeout{60000};      ///< between requests: closed
  Milliseconds request_timeout{10000};   ///< from a request's first byte to its last: 408
  Milliseconds response_timeout{10000};  ///< for the client to take the response: closed
};

/// Answers one request. What it throws becomes a 500 with that text; a 500 means a bug.
using HttpHandler = std::function<Awaitable<HttpResponse>(const HttpServerRequest&)>;

/// An HTTP/1.1 server over Unix and TCP stream sockets: keep-alive, pipelining, 100-continue. Runs on one io_context
/// thread.
class HttpServer {
 public:
  HttpServer(asio::any_io_executor executor, HttpHandler handler, HttpServerLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Listens on a Unix socket at `path` with file mode `mode`. The socket appears under its name only when it is ready
  /// and has its mode. A stale socket is replaced; throws Error when a live server answers there.
  void listen_unix(const std::filesystem::path& path, mode_t mode);
  /// Listens on TCP; port 0 takes a free one. Returns the port.
  std::uint16_t listen_tcp(const std::string& address, std::uint16_t port);
  /// Listens with TLS; both files are PEM.
  std::uint16_t listen_tls(const std::string& address, std::uint16_t port,
                           const std::filesystem::path& certificate_chain, const std::filesystem::path& private_key);

  /// Serves a connection that is already open, taking the socket over (a test's end of a socket pair).
  void adopt_unix(int socket);

  /// Stops listening (removing the Unix socket's file), lets requests under way finish for at most `grace`, then
  /// closes.
  Awaitable<void> stop(Milliseconds grace);

  std::size_t connection_count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace base
