// The production TEE server with a token that never changes, on its Unix socket and, for load generators that know no
// other transport, on a loopback TCP port. Prints the port; serves until it is killed.

#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "attest/token_service.h"
#include "base/clock.h"
#include "base/log.h"
#include "teeserver/endpoints/token.h"
#include "teeserver/server.h"

namespace {

constexpr std::size_t kTokenBytes = 3000;
constexpr std::chrono::hours kLifetime{1};

base::Awaitable<attest::Token> attest_nothing(evidence::TokenOptions) {
  attest::Token token;
  token.jwt = "eyJhbGciOiJSUzI1NiJ9.";
  token.jwt.append(kTokenBytes - token.jwt.size(), 'e');
  token.claims = base::Json::object();
  token.lifetime = kLifetime;
  token.expires = base::Clock::system().wall() + kLifetime;
  co_return token;
}

base::Awaitable<void> serve(attest::TokenService& tokens, teeserver::Server& server, std::filesystem::path directory) {
  co_await tokens.fresh_default_token();
  server.listen(directory);
  std::cout << server.http().listen_tcp("127.0.0.1", 0) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: cs-bench-token-server DIRECTORY\n";
    return 2;
  }
  base::log::start(base::log::Level::kWarning);
  asio::io_context context(1);
  attest::TokenService tokens(
      context.get_executor(), attest_nothing, [](const attest::Token&) {}, base::Clock::system());
  attest::Turns turns(context.get_executor(), {});
  teeserver::Server server(context.get_executor(), teeserver::Router({teeserver::token_endpoint(tokens, turns)}));
  asio::co_spawn(context, serve(tokens, server, argv[1]), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  try {
    context.run();
  } catch (const std::exception& error) {
    std::cerr << "cs-bench-token-server: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
