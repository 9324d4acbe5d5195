#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/asio.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "net/http_server.h"

namespace test {

/// A verifier that believes everything: its tokens are numbered, and nobody's signature is below them.
class CredulousVerifier {
 public:
  explicit CredulousVerifier(asio::any_io_executor executor)
      : never_(executor), server_(executor, [this](const net::HttpServerRequest& request) { return answer(request); }) {
    url_ = "http://127.0.0.1:" + std::to_string(server_.listen_tcp("127.0.0.1", 0));
  }

  const std::string& url() const { return url_; }
  /// Called before a refusal.
  std::function<void()> on_refusal;
  /// Calls whose path ends so get `status`; 0: no answer at all.
  void refuse(std::string path_end, unsigned status) {
    refused_ = std::move(path_end);
    status_ = status;
  }

  int tokens() const noexcept { return tokens_; }

 private:
  base::Awaitable<net::HttpResponse> answer(const net::HttpServerRequest& request) {
    if (!refused_.empty() && request.path.ends_with(refused_)) {
      if (on_refusal) on_refusal();
      if (status_ == 0) co_await never_.wait();
      co_return net::HttpResponse{status_, {}, R"({"error":{"status":"PERMISSION_DENIED","message":"not you"}})"};
    }
    if (request.path.ends_with("/challenges")) {
      co_return json({{"name", "projects/p/locations/us-central1/challenges/c"}, {"tpmNonce", "AAECAw=="}});
    }
    if (request.path.ends_with(":verifyConfidentialSpace")) {
      const std::int64_t now = base::to_unix_seconds(base::Clock::system().wall());
      const base::Json claims = {
          {"aud", "https://sts.googleapis.com"}, {"iat", now}, {"exp", now + 3600}, {"number", ++tokens_}};
      co_return json({{"attestationToken", segment({{"alg", "RS256"}}) + "." + segment(claims) + ".AAAA"}});
    }
    co_return json(base::Json::object());
  }

  static std::string segment(const base::Json& json) { return base::base64url_encode(base::view_of(json.dump())); }

  static net::HttpResponse json(const base::Json& body) {
    return {200, {{"Content-Type", "application/json"}}, body.dump()};
  }

  base::Event never_;
  std::string refused_;
  unsigned status_ = 0;
  int tokens_ = 0;
  net::HttpServer server_;
  std::string url_;
};

}  // namespace test
