#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "net/http_client.h"

namespace {

using asio::ip::tcp;

constexpr std::size_t kMaxBody = 4096;
constexpr net::HttpLimits kLimits{.max_body_bytes = kMaxBody,
                                  .timeout = base::Milliseconds(5000),
                                  .connect_timeout = base::Milliseconds(5000),
                                  .min_bytes_per_second = 1,
                                  .body_delay = base::Milliseconds(5000)};

/// A server that answers whatever it is asked with the bytes, and hangs up.
base::Awaitable<void> serve(tcp::acceptor& acceptor, std::string bytes) {
  boost::system::error_code ignored;
  tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, ignored));
}

base::Awaitable<void> ask(net::HttpClient& client, std::string url, bool streams) {
  std::size_t received = 0;
  const auto sink = [&received](const net::HttpResponse&, base::ByteView piece) -> base::Awaitable<void> {
    received += piece.size();
    co_return;
  };
  net::HttpRequest request;
  request.url = url;
  try {
    net::HttpResponse response;
    if (streams) {
      response = co_await client.stream(std::move(request), kLimits, sink);
    } else {
      response = co_await client.send(std::move(request), kLimits);
    }
    if (response.status / 100 == 1 || received + response.body.size() > kMaxBody) std::abort();
  } catch (const net::HttpError& error) {
    if (error.kind() == net::HttpError::Kind::kTimeout) std::abort();  // the server hung up long ago
  }
}

/// Made once: a client's TLS context takes far longer than a request.
struct World {
  asio::io_context context;
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::string url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  net::HttpClient client{context.get_executor()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  asio::co_spawn(world.context, serve(world.acceptor, bytes), asio::detached);
  bool ended = false;
  asio::co_spawn(world.context, ask(world.client, world.url, size % 2 == 0),
                 [&ended](const std::exception_ptr& failure) {
                   ended = true;
                   if (failure) std::abort();  // nothing but an HttpError comes of a server's bytes
                 });
  world.context.restart();
  while (!ended) world.context.run_one();
  world.context.poll();
  return 0;
}
