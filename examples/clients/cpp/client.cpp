// Ask the launcher for an attestation token, and print it.
//
//     client                        the default token
//     client AUDIENCE [NONCE]...    a token for one relying party, with the nonces that it chose

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using nlohmann::json;

constexpr int kAttempts = 5;
constexpr timeval kTimeout = {.tv_sec = 330, .tv_usec = 0};  // a request may wait for others for five minutes
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

Answer ask(const std::optional<json>& options) {
  asio::io_context context;
  asio::local::stream_protocol::socket launcher(context);
  launcher.connect({socket_path()});
  ::setsockopt(launcher.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout);

  http::request<http::string_body> request(options ? http::verb::post : http::verb::get, "/v1/token", 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (options) request.body() = options->dump();
  request.prepare_payload();
  http::write(launcher, request);

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxTokenBytes);
  http::read(launcher, buffer, parser);
  const std::string wait(parser.get()[http::field::retry_after]);
  return {parser.get().result(), parser.get().body(), std::chrono::seconds(wait.empty() ? 1 : std::stoi(wait))};
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
