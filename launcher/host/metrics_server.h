#pragma once

#include <filesystem>

#include "base/asio.h"
#include "launcher/spec/monitoring.h"
#include "net/http_server.h"

namespace launcher {

/// Shows the machine's metrics to whoever may open its Unix socket: GET /metrics, as text of OpenMetrics 1.0.
class MetricsServer {
 public:
  static constexpr const char* kSocketName = "metrics.sock";

  MetricsServer(asio::any_io_executor executor, Monitoring monitoring);

  /// Opens `folder`/metrics.sock with mode 0660; the folder is made, and must be the launcher's own. Throws Error.
  void listen(const std::filesystem::path& folder);
  base::Awaitable<void> stop();

 private:
  net::HttpServer server_;
};

}  // namespace launcher
