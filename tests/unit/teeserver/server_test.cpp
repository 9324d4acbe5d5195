#include "teeserver/server.h"

#include <sys/stat.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "teeserver/endpoints/token.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using attest::Token;
using base::Awaitable;
using Local = asio::local::stream_protocol;

namespace {

Awaitable<Token> some_token(evidence::TokenOptions) {
  Token token;
  token.jwt = "a.b.c";
  token.claims = base::Json::object();
  token.lifetime = std::chrono::hours(1);
  token.expires = std::chrono::system_clock::now() + std::chrono::hours(1);
  co_return token;
}

struct ServerWorld {
  test::TemporaryDirectory directory;
  asio::io_context context;
  attest::TokenService tokens{context.get_executor(), some_token, [](const Token&) {}, base::Clock::system()};
  attest::Turns turns{context.get_executor(), {}};
  teeserver::Server server{context.get_executor(), teeserver::Router({teeserver::token_endpoint(tokens, turns)})};

  std::string exchange(std::string bytes) { return test::run(context, converse(std::move(bytes))); }

  Awaitable<std::string> converse(std::string bytes) {
    Local::socket socket(context);
    const Local::endpoint endpoint((directory.path() / teeserver::Server::kSocketName).string());
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    std::string received;
    std::array<char, 4096> buffer{};
    boost::system::error_code code;
    while (!code) {
      const std::size_t got =
          co_await socket.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
      received.append(buffer.data(), got);
    }
    co_return received;
  }
};

}  // namespace

TEST_CASE("the workload's door is one socket that everybody in the container may open") {
  ServerWorld world;
  world.server.listen(world.directory.path());
  struct stat status {};
  REQUIRE(::stat((world.directory.path() / "teeserver.sock").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0777);
  const std::string response = world.exchange("GET /v1/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(response.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/jwt\r\nCache-Control: private, max-age="));
  CHECK(response.ends_with("\r\nContent-Length: 5\r\n\r\na.b.c"));
  test::run(world.context, world.server.stop());
  CHECK_FALSE(std::filesystem::exists(world.directory.path() / "teeserver.sock"));
}

TEST_CASE("the door's limits are its own") {
  ServerWorld world;
  world.server.listen(world.directory.path());
  const auto post = [&](std::size_t size) {
    return world.exchange("POST /v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(size) + "\r\n\r\n" + std::string(size, ' '));
  };
  CHECK(post(teeserver::kLimits.max_body_bytes - 1).starts_with("HTTP/1.1 400 "));
  CHECK(post(teeserver::kLimits.max_body_bytes).starts_with("HTTP/1.1 400 "));
  CHECK(post(teeserver::kLimits.max_body_bytes + 1).starts_with("HTTP/1.1 413 "));
  const std::string long_header(teeserver::kLimits.max_header_bytes, 'x');
  CHECK(world.exchange("GET /v1/token HTTP/1.1\r\nX: " + long_header + "\r\n\r\n").starts_with("HTTP/1.1 431 "));
}
