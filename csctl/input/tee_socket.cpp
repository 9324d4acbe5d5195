#include "csctl/input/tee_socket.h"

#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "csctl/input/material.h"
#include "csctl/input/wait.h"
#include "net/http_client.h"

namespace csctl {
namespace {

using base::Json;

/// A token may wait for its turn behind those of other processes.
constexpr net::HttpLimits kTeeLimits{.max_body_bytes = kMaxMaterialBytes, .timeout = std::chrono::minutes(2)};

}  // namespace

std::string TeeSocket::ask(std::string method, const std::string& target, std::string body) const {
  net::HttpRequest request{.method = std::move(method), .url = "http://localhost" + target, .body = std::move(body)};
  if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  const net::HttpResponse response = wait_for([&](const asio::any_io_executor& executor) {
    return [](asio::any_io_executor home, std::filesystem::path path,
              net::HttpRequest asked) -> base::Awaitable<net::HttpResponse> {
      net::HttpClient client = net::HttpClient::over_unix_socket(std::move(home), path);
      co_return co_await client.send(std::move(asked), kTeeLimits);
    }(executor, path_, std::move(request));
  });
  if (response.status != net::status::kOk) {
    throw base::Error("the launcher refuses " + target + " with status " + std::to_string(response.status) + ": " +
                      response.body);
  }
  return response.body;
}

std::string TeeSocket::token() const { return ask("GET", "/v1/token", ""); }

std::string TeeSocket::token(const evidence::TokenOptions& options) const {
  Json body = {{"audience", options.audience}, {"token_type", evidence::name_of(options.type)}};
  if (!options.nonces.empty()) body["nonces"] = options.nonces;
  return ask("POST", "/v1/token", body.dump());
}

std::string TeeSocket::evidence(base::ByteView challenge) const {
  return ask("POST", "/v1/evidence", Json{{"challenge", base::base64_encode(challenge)}}.dump());
}

std::string TeeSocket::status() const { return ask("GET", "/v1/status", ""); }

}  // namespace csctl
