#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/asio.h"
#include "net/http.h"
#include "net/ip_network.h"

namespace net {

/// Every bound of an HttpServer. Past it the client gets the status named, or the connection is closed.
struct HttpServerLimits {
  /// Of a request's head, of one chunk's first line with its extensions, and of all trailer fields: 431.
  std::size_t max_header_bytes = std::size_t{8} << 10U;
  std::size_t max_fields = 100;                         ///< of a head, and of a trailer: 431
  std::size_t max_body_bytes = std::size_t{64} << 10U;  ///< 413
  /// Of the bodies of all connections together, and of the answers that their clients have not taken. Beyond, the peer
  /// with most loses one (ConnectionTable); 503 when there is none to lose.
  std::size_t max_buffered_bytes = std::size_t{4} << 20U;
  /// Beyond, the peer with most loses one that keeps us waiting (ConnectionTable); 503 when there is none.
  std::size_t max_connections = 256;
  base::Milliseconds idle_timeout{60000};      ///< before the first byte, and between requests: closed
  base::Milliseconds request_timeout{10000};   ///< from a request's or handshake's first byte to its last: 408
  base::Milliseconds response_timeout{10000};  ///< for the client to take the response: closed
};

/// What is decided of a request when its head is there and its body is not.
struct HttpAdmission {
  std::size_t max_body_bytes = 0;           ///< more is a 413; the server's own limit holds as well
  std::optional<HttpResponse> answer = {};  ///< given at once: the body is not read
};

/// Takes a request without its body.
using HttpAdmit = std::function<HttpAdmission(const HttpServerRequest& head)>;

/// Answers one request, of which it may take the body away. What it throws becomes a 500 with that text; a 500 means a
/// bug.
using HttpHandler = std::function<base::Awaitable<HttpResponse>(HttpServerRequest&)>;

/// Certificate chain, the server's own first, and its key; both PEM.
struct HttpServerTls {
  std::filesystem::path certificate_chain;
  std::filesystem::path private_key;
};

/// A certificate chain and its key as they were read; copies share it.
class HttpServerCertificate {
 public:
  /// Throws InvalidInput that names the file.
  static HttpServerCertificate load(const HttpServerTls& files);

 private:
  friend class HttpServer;
  struct Context;
  explicit HttpServerCertificate(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  std::shared_ptr<Context> context_;
};

struct HttpServerState;

/// An HTTP/1.1 server over Unix and TCP stream sockets: keep-alive, pipelining, 100-continue. Runs on one io_context
/// thread.
class HttpServer {
 public:
  /// Without `admit` every request may have a body.
  HttpServer(asio::any_io_executor executor, HttpHandler handler, HttpServerLimits limits = {}, HttpAdmit admit = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Listens on a Unix socket at `path` with file mode `mode`. The socket appears under its name only when it is ready
  /// and has its mode. A stale socket is replaced; throws Error when a live server answers there.
  void listen_unix(const std::filesystem::path& path, mode_t mode);
  /// Listens on TCP, with TLS or without; port 0 takes a free one. Returns the port. A connection from one of
  /// `trusted_proxies` must begin with a PROXY header of version 2, whose address counts as the peer's.
  std::uint16_t listen_tcp(const std::string& address, std::uint16_t port,
                           const std::optional<HttpServerCertificate>& tls = {},
                           std::vector<IpNetwork> trusted_proxies = {});

  /// Shows this certificate to all who connect from now on, to every port with TLS.
  void use(const HttpServerCertificate& certificate);

  /// Serves a connection that is already open, taking the socket over (a test's end of a socket pair).
  void adopt_unix(int socket);

  /// Stops listening (removing the Unix socket's file), lets requests under way finish for at most `grace`, then
  /// closes.
  base::Awaitable<void> stop(base::Milliseconds grace);

  std::size_t connection_count() const;

 private:
  std::shared_ptr<HttpServerState> state_;
};

}  // namespace net
