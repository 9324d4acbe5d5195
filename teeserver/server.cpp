#include "teeserver/server.h"

#include <utility>

#include <sys/types.h>

namespace teeserver {
namespace {

constexpr mode_t kOpenToEveryUserOfTheContainer = 0777;
constexpr base::Milliseconds kGrace{2000};

}  // namespace

Server::Server(asio::any_io_executor executor, Router router)
    : router_(std::move(router)),
      http_(
          std::move(executor), [this](const net::HttpServerRequest& request) { return router_.handle(request); },
          kLimits) {}

void Server::listen(const std::filesystem::path& directory) {
  http_.listen_unix(directory / kSocketName, kOpenToEveryUserOfTheContainer);
}

base::Awaitable<void> Server::stop() { co_await http_.stop(kGrace); }

}  // namespace teeserver
