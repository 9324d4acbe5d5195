// Ask the launcher for an attestation token, and print it.
//
//     client                        the default token
//     client AUDIENCE [NONCE]...    a token for one relying party, with the nonces that it chose

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using nlohmann::json;

constexpr int kAttempts = 5;
constexpr std::chrono::seconds kTimeout{330};  // a request may wait for others for five minutes
constexpr std::uint64_t kMaxTokenBytes = std::uint64_t{1} << 20U;

/// What may be otherwise the next time.
constexpr std::array kPasses = {http::status::request_timeout, http::status::too_many_requests,
                                http::status::internal_server_error, http::status::service_unavailable};

struct Answer {
  http::status status;
  std::string body;
  std::chrono::seconds wait;  ///< before it is asked again, if need be
};

std::string socket_path() {
  const char* path = std::getenv("TEE_SOCKET");
  return path != nullptr ? path : "/run/container_launcher/teeserver.sock";
}

std::chrono::seconds wait_of(const std::string& retry_after) {
  const bool is_number = !retry_after.empty() && retry_after.size() < 6 &&
                         std::ranges::all_of(retry_after, [](char c) { return c >= '0' && c <= '9'; });
  return std::chrono::seconds(is_number ? std::stoi(retry_after) : 1);
}

asio::awaitable<Answer> exchange(http::request<http::string_body> request) {
  boost::beast::basic_stream<asio::local::stream_protocol> launcher(co_await asio::this_coro::executor);
  launcher.expires_after(kTimeout);
  const asio::local::stream_protocol::endpoint endpoint(socket_path());
  co_await launcher.async_connect(endpoint, asio::use_awaitable);
  co_await http::async_write(launcher, request, asio::use_awaitable);

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxTokenBytes);
  co_await http::async_read(launcher, buffer, parser, asio::use_awaitable);
  const http::response<http::string_body>& answer = parser.get();
  co_return Answer{answer.result(), answer.body(), wait_of(std::string(answer[http::field::retry_after]))};
}

Answer ask(const std::optional<json>& options) {
  http::request<http::string_body> request(options ? http::verb::post : http::verb::get, "/v1/token", 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (options) request.body() = options->dump();
  request.prepare_payload();

  asio::io_context context;
  std::future<Answer> answer = asio::co_spawn(context, exchange(std::move(request)), asio::use_future);
  context.run();
  return answer.get();
}

/// What passes is waited for; anything else is an error with the launcher's own words.
std::string token(const std::optional<json>& options) {
  for (int attempt = 1;; ++attempt) {
    const Answer answer = ask(options);
    if (answer.status == http::status::ok) return answer.body;
    const bool passes = std::ranges::find(kPasses, answer.status) != kPasses.end();
    if (!passes || attempt == kAttempts) {
      throw std::runtime_error("the launcher answered " + std::to_string(static_cast<unsigned>(answer.status)) + ": " +
                               answer.body.substr(0, answer.body.find_last_not_of('\n') + 1));
    }
    std::this_thread::sleep_for(answer.wait);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::optional<json> options;
  if (argc > 1) {
    const std::vector<std::string> nonces(argv + 2, argv + argc);
    options = {{"audience", argv[1]}, {"token_type", "OIDC"}, {"nonces", nonces}};
  }
  std::cout << token(options) << '\n';
} catch (const std::exception& error) {
  std::cerr << "client: " << error.what() << '\n';
  return EXIT_FAILURE;
}
