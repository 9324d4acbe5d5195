#include "launcher/host/metrics_server.h"

#include <utility>

#include "base/file.h"
#include "launcher/host/metrics.h"

namespace launcher {
namespace {

constexpr mode_t kSocketFolderMode = 0755;
constexpr mode_t kSocketMode = 0660;
constexpr net::HttpServerLimits kServerLimits{.max_body_bytes = 0, .max_connections = 16};
constexpr base::Milliseconds kStopGrace{1000};

net::HttpResponse plain_text(unsigned status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

base::Awaitable<net::HttpResponse> answer(const net::HttpServerRequest& request, Monitoring monitoring) {
  if (request.path != "/metrics") co_return plain_text(404, "there is /metrics only\n");
  if (request.method != "GET" && request.method != "HEAD") {
    net::HttpResponse refusal = plain_text(405, "metrics are read with GET\n");
    refusal.headers.push_back({"Allow", "GET, HEAD"});
    co_return refusal;
  }
  net::HttpResponse response{200,
                             {{"Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8"}},
                             open_metrics(read_metrics(monitoring))};
  co_return response;
}

}  // namespace

MetricsServer::MetricsServer(asio::any_io_executor executor, Monitoring monitoring)
    : server_(
          std::move(executor),
          [monitoring](const net::HttpServerRequest& request) { return answer(request, monitoring); }, kServerLimits) {}

void MetricsServer::listen(const std::filesystem::path& folder) {
  base::open_private_directory(folder, kSocketFolderMode);
  server_.listen_unix(folder / kSocketName, kSocketMode);
}

base::Awaitable<void> MetricsServer::stop() { return server_.stop(kStopGrace); }

}  // namespace launcher
