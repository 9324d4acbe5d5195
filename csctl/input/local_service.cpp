#include "csctl/input/local_service.h"

#include <chrono>
#include <utility>

#include "base/error.h"
#include "csctl/input/material.h"
#include "csctl/input/wait.h"
#include "net/http_client.h"

namespace csctl {
namespace {

/// A token may wait for its turn behind those of other processes.
constexpr net::HttpLimits kLocalLimits{.max_body_bytes = kMaxMaterialBytes, .timeout = std::chrono::minutes(2)};

base::Awaitable<net::HttpResponse> exchange(asio::any_io_executor executor, std::filesystem::path socket,
                                            net::HttpRequest request) {
  net::HttpClient client = net::HttpClient::over_unix_socket(std::move(executor), socket);
  co_return co_await client.send(std::move(request), kLocalLimits);
}

}  // namespace

std::string ask_local(const std::filesystem::path& socket, std::string_view who, std::string method,
                      const std::string& target, std::string body) {
  net::HttpRequest request{.method = std::move(method), .url = "http://localhost" + target, .body = std::move(body)};
  if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  net::HttpResponse response = wait_for(std::string(who), [&](asio::any_io_executor executor) {
    return exchange(std::move(executor), socket, std::move(request));
  });
  if (response.status != net::status::kOk) {
    throw base::Error(std::string(who) + " refuses " + target + " with status " + std::to_string(response.status) +
                      ": " + response.body);
  }
  return std::move(response.body);
}

}  // namespace csctl
