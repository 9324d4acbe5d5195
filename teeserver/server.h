#pragma once

#include <filesystem>

#include "base/asio.h"
#include "net/http_server.h"
#include "teeserver/router.h"

namespace teeserver {

/// The bounds of the workload's door. A request is a small JSON document at most.
inline constexpr net::HttpServerLimits kLimits{.max_header_bytes = std::size_t{8} << 10U,
                                               .max_body_bytes = std::size_t{64} << 10U,
                                               // An answer with evidence may have kMaxVerifyRequestBytes.
                                               .max_buffered_bytes = std::size_t{12} << 20U,
                                               .max_connections = 256,
                                               .idle_timeout = base::Milliseconds(60000),
                                               .request_timeout = base::Milliseconds(10000),
                                               .response_timeout = base::Milliseconds(10000)};

/// The TEE server: the workload's only door, a Unix socket that every user of the container may open.
class Server {
 public:
  static constexpr const char* kSocketName = "teeserver.sock";

  Server(asio::any_io_executor executor, Router router);

  /// Opens `directory`/teeserver.sock with mode 0777. Throws Error.
  void listen(const std::filesystem::path& directory);
  /// Lets requests under way end, for at most two seconds.
  base::Awaitable<void> stop();

  /// For benchmarks and tests that come over another transport.
  net::HttpServer& http() noexcept { return http_; }

 private:
  Router router_;
  net::HttpServer http_;
};

}  // namespace teeserver
