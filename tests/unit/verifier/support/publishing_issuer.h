#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "net/http_server.h"
#include "tests/unit/support/token_issuer.h"

namespace test {

/// An issuer of ID tokens on loopback, which publishes its keys.
class PublishingIssuer {
 public:
  explicit PublishingIssuer(const asio::any_io_executor& executor)
      : server_(executor, [this](net::HttpServerRequest& request) { return answer(request); }),
        port_(server_.listen_tcp("127.0.0.1", 0)) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int fetches() const noexcept { return fetches_; }

  base::Json keys = token_issuer().jwks();
  std::string cache_control = "public, max-age=600";
  unsigned status = 200;
  std::string claimed_issuer = {};  ///< its own unless it claims another

 private:
  base::Awaitable<net::HttpResponse> answer(const net::HttpServerRequest& request) {
    net::HttpResponse response{status, {{"Cache-Control", cache_control}}, keys.dump()};
    if (request.path == "/.well-known/openid-configuration") {
      response.body =
          base::Json{{"issuer", claimed_issuer.empty() ? url() : claimed_issuer}, {"jwks_uri", url() + "/keys"}}.dump();
    } else {
      ++fetches_;
    }
    co_return response;
  }

  net::HttpServer server_;
  std::uint16_t port_;
  int fetches_ = 0;
};

}  // namespace test
