#include "net/http_server.h"

#include <atomic>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/http_bench.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

using asio::ip::tcp;
using base::Awaitable;
using base::Milliseconds;
using boost::system::error_code;
using net::HttpResponse;
using net::HttpServer;
using net::HttpServerLimits;
using net::HttpServerRequest;
using test::connect_to;
using test::converse;
using test::echo;
using test::HttpBench;
using test::kClose;
using test::kHttpLimits;
using test::Local;
using test::ok;
using test::read_to_end;
using test::status_of;

namespace {

Awaitable<void> shake_hands(asio::ssl::stream<tcp::socket>& stream, std::uint16_t port) {
  const tcp::endpoint server(asio::ip::address_v4::loopback(), port);
  co_await stream.next_layer().async_connect(server, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

}  // namespace

TEST_CASE("a client that is gone before its answer harms nobody") {
  HttpBench bench;
  for (int i = 0; i < 20; ++i) {
    Local::socket socket = bench.connect();
    asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    socket.close();
    bench.context.poll();
  }
  CHECK(bench.exchange("GET /still HTTP/1.1\r\n" + kClose) == ok("GET /still  "));
  CHECK(bench.server.connection_count() <= 1);
}

TEST_CASE("ten thousand idle connections keep nobody out") {
  HttpBench bench;
  std::vector<Local::socket> idle;
  for (int i = 0; i < 10000; ++i) {
    Local::socket socket = bench.connect();
    bench.context.poll();
    CHECK(bench.server.connection_count() <= kHttpLimits.max_connections + 1);
    // The test's own ends would run out of descriptors; the server has closed its ends of all but the last.
    if (idle.size() > kHttpLimits.max_connections * 2) idle.erase(idle.begin());
    idle.push_back(std::move(socket));
  }
  CHECK(bench.exchange("GET /in HTTP/1.1\r\n" + kClose) == ok("GET /in  "));
}

namespace {

/// Connections over TCP from addresses of their own.
struct ServerBench {
  explicit ServerBench(HttpServerLimits limits, std::vector<net::IpNetwork> proxies = {})
      : server(context.get_executor(), echo, limits),
        port(server.listen_tcp("127.0.0.1", 0, std::nullopt, std::move(proxies))) {}

  tcp::socket connect(const char* from) {
    tcp::socket socket(context, tcp::v4());
    socket.bind({asio::ip::make_address(from), 0});
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    context.restart();
    context.poll();
    return socket;
  }

  std::string status(tcp::socket& socket, const std::string& before = "") {
    return status_of(test::run(context, converse(socket, before + "GET / HTTP/1.1\r\n" + kClose)));
  }

  test::ManualContext context;
  HttpServer server;
  std::uint16_t port;
};

}  // namespace

TEST_CASE("three hundred clients of one address are all served while there is room") {
  HttpServerLimits limits = kHttpLimits;
  limits.max_connections = 300;
  ServerBench bench(limits);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(bench.connect("127.0.0.1"));
  for (auto& client : clients) CHECK(bench.status(client) == "HTTP/1.1 200 OK");
}

TEST_CASE("one address with many connections takes none from another") {
  ServerBench bench(kHttpLimits);
  auto honest = bench.connect("127.0.0.1");
  std::vector<tcp::socket> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(bench.connect("127.0.0.2"));
    CHECK(bench.server.connection_count() <= kHttpLimits.max_connections + 1);
  }
  CHECK(bench.status(honest) == "HTTP/1.1 200 OK");
  auto another = bench.connect("127.0.0.3");
  CHECK(bench.status(another) == "HTTP/1.1 200 OK");
}

TEST_CASE("bodies of all connections together are limited, and the peer with most gives way") {
  HttpServerLimits limits = kHttpLimits;
  limits.max_connections = 16;
  limits.max_body_bytes = std::size_t{64} << 10U;
  limits.max_buffered_bytes = std::size_t{128} << 10U;
  ServerBench bench(limits);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n";
  std::vector<tcp::socket> greedy;
  for (int i = 0; i < 4; ++i) {
    greedy.push_back(bench.connect("127.0.0.2"));
    asio::write(greedy.back(), asio::buffer(head + std::string(60000, 'x')));
    bench.context.restart();
    bench.context.poll();
  }
  const auto is_given_up = [&]() -> Awaitable<bool> {
    std::array<char, 1> byte{};
    error_code code;
    co_await greedy.front().async_read_some(asio::buffer(byte), asio::redirect_error(asio::use_awaitable, code));
    co_return code.failed();
  };
  CHECK(test::run(bench.context, is_given_up()));
  auto honest = bench.connect("127.0.0.1");
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 60000\r\n" + kClose + std::string(60000, 'y');
  CHECK(status_of(test::run(bench.context, converse(honest, request))) == "HTTP/1.1 200 OK");
}

TEST_CASE("answers that nobody takes are limited over all connections, and the peer with most gives way") {
  constexpr std::size_t kAnswer = std::size_t{8} << 20U;  // more than any socket holds
  HttpServerLimits limits = kHttpLimits;
  limits.max_connections = 16;
  limits.max_buffered_bytes = 4 * kAnswer;
  test::ManualContext context;
  HttpServer server(
      context.get_executor(),
      [](const HttpServerRequest& request) -> Awaitable<HttpResponse> {
        HttpResponse response{200, {}, std::string(request.path == "/large" ? kAnswer : 1, 'x')};
        co_return response;
      },
      limits);
  const std::uint16_t port = server.listen_tcp("127.0.0.1", 0);
  const auto connect = [&](const char* from) {
    tcp::socket socket(context, tcp::v4());
    socket.set_option(asio::socket_base::receive_buffer_size(65536));
    socket.bind({asio::ip::make_address(from), 0});
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    return socket;
  };
  auto honest = connect("127.0.0.1");
  asio::write(honest, asio::buffer("GET /large HTTP/1.1\r\n" + kClose));
  std::vector<tcp::socket> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.push_back(connect("127.0.0.2"));
    asio::write(greedy.back(), asio::buffer(std::string("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")));
  }
  // Four answers wait and no more: of the greedy ones' the oldest are broken off.
  std::array<char, 65536> piece{};
  for (std::size_t i = 0; i < 5; ++i) {
    std::size_t got = 0;
    error_code code;
    const auto drain = [&]() -> Awaitable<void> {
      while (!code) {
        got += co_await greedy[i].async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, code));
      }
    };
    test::run(context, drain());
    CHECK(got < kAnswer);
  }
  CHECK(server.connection_count() == 4);
  const std::string answer = test::run(context, read_to_end(honest));
  CHECK(status_of(answer) == "HTTP/1.1 200 OK");
  CHECK(answer.size() > kAnswer);
}

TEST_CASE("who says nothing, or takes no answer, is not waited for") {
  HttpServerLimits limits = kHttpLimits;
  limits.max_buffered_bytes = std::size_t{64} << 20U;
  std::string request;
  SECTION("nothing") {}
  SECTION("nothing more") { request = "GET /small HTTP/1.1\r\nHost: x\r\n\r\n"; }
  SECTION("takes no answer") { request = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"; }
  test::ManualContext context;
  HttpServer server(
      context.get_executor(),
      [](const HttpServerRequest& head) -> Awaitable<HttpResponse> {
        HttpResponse response{200, {}, std::string(head.path == "/large" ? std::size_t{8} << 20U : 1, 'x')};
        co_return response;
      },
      limits);
  Local::socket socket = connect_to(context, server);
  asio::write(socket, asio::buffer(request));
  REQUIRE(server.connection_count() == 1);
  context.time.run_until([&] { return server.connection_count() == 0; });
}

TEST_CASE("a body for which there is no memory is refused, and the client may come again") {
  HttpServerLimits limits = kHttpLimits;
  limits.max_body_bytes = std::size_t{64} << 10U;
  limits.max_buffered_bytes = std::size_t{32} << 10U;
  ServerBench bench(limits);
  auto client = bench.connect("127.0.0.1");
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 40000\r\n" + kClose + std::string(40000, 'y');
  const std::string response = test::run(bench.context, converse(client, request));
  CHECK(status_of(response) == "HTTP/1.1 503 Service Unavailable");
  CHECK_THAT(response, ContainsSubstring("Retry-After: 1\r\n"));
}

TEST_CASE("a trusted proxy tells whose connection it is, and must") {
  ServerBench bench(kHttpLimits, {*net::IpNetwork::parse("127.0.0.5/32")});
  const auto header = [](std::uint8_t last) {
    std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
    bytes += std::string("\xc0\0\x02", 3) + static_cast<char>(last) + std::string("\x7f\0\0\x01\0\x50\0\x50", 8);
    return bytes;
  };
  auto introduced = bench.connect("127.0.0.5");
  CHECK(bench.status(introduced, header(7)) == "HTTP/1.1 200 OK");
  auto without = bench.connect("127.0.0.5");
  CHECK(bench.status(without).empty());
  auto stranger = bench.connect("127.0.0.6");
  CHECK(bench.status(stranger, header(7)) == "HTTP/1.1 400 Bad Request");
  // Behind one proxy, many connections of one client and one of another.
  auto honest = bench.connect("127.0.0.5");
  asio::write(honest, asio::buffer(header(1)));
  std::vector<tcp::socket> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(bench.connect("127.0.0.5"));
    asio::write(many.back(), asio::buffer(header(2)));
    bench.context.restart();
    bench.context.poll();
  }
  CHECK(bench.status(honest) == "HTTP/1.1 200 OK");
}

TEST_CASE("as many connections at work as the limit says, and one more is told so") {
  test::ManualContext context;
  base::Event gate(context.get_executor());
  const auto slow = [&gate](const HttpServerRequest&) -> Awaitable<HttpResponse> {
    co_await gate.wait();
    co_return HttpResponse{200, {}, "done"};
  };
  HttpServer server(context.get_executor(), slow, kHttpLimits);
  std::vector<Local::socket> clients;
  for (std::size_t i = 0; i <= kHttpLimits.max_connections; ++i) {
    clients.push_back(connect_to(context, server));
    asio::write(clients.back(), asio::buffer("GET / HTTP/1.1\r\n" + kClose));
    context.restart();
    context.poll();
  }
  CHECK(status_of(test::run(context, read_to_end(clients.back()))) == "HTTP/1.1 503 Service Unavailable");
  gate.set();
  clients.pop_back();
  for (Local::socket& client : clients) {
    CHECK(status_of(test::run(context, read_to_end(client))) == "HTTP/1.1 200 OK");
  }
}

TEST_CASE("a TLS session leaves nothing behind in the server") {
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  HttpBench bench;
  const auto port = bench.server.listen_tcp(
      "127.0.0.1", 0,
      net::HttpServerCertificate::load({directory.path() / "server.pem", directory.path() / "server-key.pem"}));
  // A session that the server has to remember, since the client takes no ticket.
  asio::ssl::context tls(asio::ssl::context::tlsv12_client);
  SSL_CTX_set_options(tls.native_handle(), SSL_OP_NO_TICKET);
  asio::ssl::stream<tcp::socket> first(bench.context, tls);
  asio::ssl::stream<tcp::socket> second(bench.context, tls);
  test::run(bench.context, shake_hands(first, port));
  const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.native_handle()),
                                                                          &SSL_SESSION_free);
  REQUIRE(SSL_set_session(second.native_handle(), session.get()) == 1);
  test::run(bench.context, shake_hands(second, port));
  CHECK(SSL_session_reused(second.native_handle()) == 0);
}

TEST_CASE("a Unix socket appears when it is ready, with its mode, over a stale one but not a live one") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "s.sock";
  test::ManualContext context;
  { Local::acceptor stale(context, Local::endpoint(path.string())); }
  REQUIRE(std::filesystem::is_socket(path));
  HttpServer first(context.get_executor(), echo, kHttpLimits);
  first.listen_unix(path, 0777);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0777);
  HttpServer second(context.get_executor(), echo, kHttpLimits);
  CHECK_THROWS_WITH(second.listen_unix(path, 0777), ContainsSubstring("is served by another process"));
  test::run(context, first.stop(Milliseconds(100)));
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::create_directory(path);
  CHECK_THROWS_WITH(second.listen_unix(path, 0777), ContainsSubstring("is a folder"));
  const std::filesystem::path other = path.string() + "2";
  std::filesystem::create_directory(other.string() + ".new");
  CHECK_THROWS_WITH(second.listen_unix(other, 0777), ContainsSubstring("removing an old " + other.string() + ".new"));
}

TEST_CASE("who connects in a loop is never let in before the socket is ready") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "s.sock";
  test::ManualContext context;
  std::atomic<bool> stop = false;
  std::atomic<int> early = 0;
  std::atomic<bool> ready = false;
  std::atomic<int> connected = 0;
  std::thread intruder([&] {
    asio::io_context own;
    while (!stop) {
      const bool was_ready = ready;
      Local::socket socket(own);
      error_code code;
      socket.connect(Local::endpoint(path.string()), code);
      if (code) continue;
      // Connected: then the socket must have its final mode already.
      struct stat status {};
      if (!was_ready && ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0777) != 0777) ++early;
      ++connected;
    }
  });
  for (int i = 0; i < 50; ++i) {
    HttpServer server(context.get_executor(), echo, kHttpLimits);
    server.listen_unix(path, 0777);
    ready = true;
    const int before = connected;
    context.restart();
    while (connected == before) context.poll_one();
    ready = false;
    test::run(context, server.stop(Milliseconds(10)));
  }
  stop = true;
  intruder.join();
  CHECK(early == 0);
}

TEST_CASE("stopping lets requests under way end, but not for ever") {
  test::ManualContext context;
  base::Event gate(context.get_executor());
  int begun = 0;
  const auto slow = [&](const HttpServerRequest&) -> Awaitable<HttpResponse> {
    ++begun;
    co_await gate.wait();
    co_return HttpResponse{200, {}, "done"};
  };
  HttpServer server(context.get_executor(), slow, kHttpLimits);
  Local::socket client = connect_to(context, server);
  asio::write(client, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  while (begun == 0) context.run_one();
  SECTION("a request that ends in time is answered") {
    asio::post(context, [&] { gate.set(); });
    test::run(context, server.stop(Milliseconds(60000)));
    CHECK(status_of(test::run(context, read_to_end(client))) == "HTTP/1.1 200 OK");
  }
  SECTION("one that does not is cut off") {
    context.time.run(server.stop(Milliseconds(10)));  // the gate never opens
    CHECK(server.connection_count() == 0);
  }
}
