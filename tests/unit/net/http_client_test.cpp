#include "net/http_client.h"

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

using asio::ip::tcp;
using base::Awaitable;
using base::Milliseconds;
using net::HttpClient;
using net::HttpError;
using net::HttpLimits;
using net::HttpRequest;
using net::HttpResponse;

namespace {

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

HttpError::Kind kind_of(asio::io_context& context, HttpClient& client, const std::string& url, HttpLimits limits) {
  try {
    test::run(context, client.send(get(url), limits));
  } catch (const HttpError& error) {
    return error.kind();
  }
  FAIL("no HttpError");
  return {};
}

/// Answers every connection with `text` and closes it.
test::RawServer::Serve answering(std::string text) {
  return [text](tcp::socket socket) -> Awaitable<void> {
    return [](tcp::socket s, std::string t) -> Awaitable<void> {
      co_await test::read_some_request(s);
      co_await test::write_text(s, std::move(t));
    }(std::move(socket), text);
  };
}

/// A hundred bytes, one every twenty milliseconds.
Awaitable<void> crawl(tcp::socket socket, test::ManualTime& time) {
  co_await test::read_some_request(socket);
  co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 100; ++i) {
    co_await test::write_text(socket, "x");
    time.advance(Milliseconds(20));
  }
  co_await test::read_some_request(socket);
}

constexpr HttpLimits kQuick{.max_body_bytes = 1000, .timeout = Milliseconds(300)};

}  // namespace

TEST_CASE("requests go out and answers come back over a connection that is kept") {
  test::ManualContext context;
  int requests = 0;
  const auto handler = [&](const net::HttpServerRequest& request) -> Awaitable<HttpResponse> {
    ++requests;
    HttpResponse response{201,
                          {{"X-Method", request.method}, {"X-Seen", std::string(request.header("X-Sent"))}},
                          request.path + request.body};
    co_return response;
  };
  net::HttpServer server(context.get_executor(), handler);
  const std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));
  HttpClient client(context.get_executor());
  for (int i = 0; i < 3; ++i) {
    HttpRequest request{.method = "POST", .url = url + "/a?b", .headers = {{"X-Sent", "v"}}, .body = "body"};
    const HttpResponse response = test::run(context, client.send(request, {}));
    CHECK(response.status == 201);
    CHECK(response.header("X-Method") == "POST");
    CHECK(response.header("X-Seen") == "v");
    CHECK(response.body == "/abody");
    CHECK(server.connection_count() == 1);
  }
  CHECK(requests == 3);
}

TEST_CASE("a kept connection that the server has closed meanwhile is replaced unseen") {
  test::ManualContext context;
  test::RawServer server(context, answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  HttpClient client(context.get_executor());
  for (int i = 0; i < 3; ++i) CHECK(test::run(context, client.send(get(server.url()), kQuick)).body == "ok");
  CHECK(server.connections() == 3);
}

TEST_CASE("a connection that was kept for too long is not used again") {
  test::ManualContext context;
  test::RawServer server(context, [](tcp::socket socket) -> Awaitable<void> {
    return [](tcp::socket s) -> Awaitable<void> {
      for (;;) {
        co_await test::read_some_request(s);
        co_await test::write_text(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    }(std::move(socket));
  });
  HttpClient client(context.get_executor());
  const auto ask = [&] { CHECK(test::run(context, client.send(get(server.url()), kQuick)).body == "ok"); };
  ask();
  context.time.advance(net::kMaxIdleTime);
  ask();
  CHECK(server.connections() == 1);
  context.time.advance(net::kMaxIdleTime + Milliseconds(1));
  ask();
  CHECK(server.connections() == 2);
}

TEST_CASE("nobody listens, names that do not resolve") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  std::string url;
  {
    const test::RawServer gone(context, answering(""));
    url = gone.url();
  }
  CHECK(kind_of(context, client, url, kQuick) == HttpError::Kind::kConnect);
  CHECK(kind_of(context, client, "http://name.invalid/", {}) == HttpError::Kind::kConnect);
}

TEST_CASE("answers that are late, slow, too long, cut off or no HTTP have a kind each") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const test::RawServer silent(context, [&context](tcp::socket socket) -> Awaitable<void> {
    co_await test::read_some_request(socket);
    context.time.advance(kQuick.timeout);
    co_await test::read_some_request(socket);
  });
  CHECK(kind_of(context, client, silent.url(), kQuick) == HttpError::Kind::kTimeout);
  const test::RawServer slow(context,
                             [&context](tcp::socket socket) { return crawl(std::move(socket), context.time); });
  CHECK(kind_of(context, client, slow.url(), kQuick) == HttpError::Kind::kTimeout);
  const test::RawServer long_one(context, answering("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"));
  CHECK(kind_of(context, client, long_one.url(), kQuick) == HttpError::Kind::kTooLarge);
  const test::RawServer endless(context, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                                                   std::string(1001, 'x') + "\r\n0\r\n\r\n"));
  CHECK(kind_of(context, client, endless.url(), kQuick) == HttpError::Kind::kTooLarge);
  const test::RawServer cut(context, answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"));
  CHECK(kind_of(context, client, cut.url(), kQuick) == HttpError::Kind::kBroken);
  const test::RawServer mute(context, answering(""));
  CHECK(kind_of(context, client, mute.url(), kQuick) == HttpError::Kind::kConnect);
  CHECK(kind_of(context, client, "https" + mute.url().substr(4), kQuick) == HttpError::Kind::kConnect);
  const test::RawServer nonsense(context, answering("SSH-2.0-x\r\n\r\n"));
  CHECK(kind_of(context, client, nonsense.url(), kQuick) == HttpError::Kind::kProtocol);
}

namespace {

/// Answers with `head` and then with `piece` for ever, as fast as the client takes it.
test::RawServer::Serve endlessly(std::string head, std::string piece) {
  return [head, piece](tcp::socket socket) -> Awaitable<void> {
    return [](tcp::socket s, std::string h, std::string p) -> Awaitable<void> {
      co_await test::read_some_request(s);
      co_await test::write_text(s, std::move(h));
      for (;;) co_await test::write_text(s, p);
    }(std::move(socket), head, piece);
  };
}

}  // namespace

TEST_CASE("answers that are not yet the answer are passed over, but not for ever") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const test::RawServer patient(context, answering(interim + interim + interim + interim + final));
  const HttpResponse response = test::run(context, client.send(get(patient.url()), kQuick));
  CHECK(response.status == 200);
  CHECK(response.body == "ok");
  CHECK(response.header("Link").empty());
  const test::RawServer one_more(
      context, answering("HTTP/1.1 102 Processing\r\n\r\n" + interim + interim + interim + interim + final));
  CHECK(kind_of(context, client, one_more.url(), kQuick) == HttpError::Kind::kProtocol);
  const test::RawServer endless(context, endlessly("", "HTTP/1.1 102 Processing\r\n\r\n"));
  CHECK(kind_of(context, client, endless.url(), kQuick) == HttpError::Kind::kProtocol);
  const test::RawServer lone(context, answering("HTTP/1.1 100 Continue\r\n\r\n"));
  CHECK(kind_of(context, client, lone.url(), kQuick) == HttpError::Kind::kConnect);
  const test::RawServer other(context, answering("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  CHECK(kind_of(context, client, other.url(), kQuick) == HttpError::Kind::kProtocol);
}

TEST_CASE("the head of an answer at its limit, and one beyond") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const auto with_head = [](std::size_t bytes) {
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ";
    return answering(start + std::string(bytes - start.size() - 4, 'x') + "\r\n\r\nok");
  };
  const HttpLimits limits{.timeout = Milliseconds(20000)};
  const test::RawServer fits(context, with_head(net::kMaxResponseHeaderBytes));
  CHECK(test::run(context, client.send(get(fits.url()), limits)).body == "ok");
  const test::RawServer one_more(context, with_head(net::kMaxResponseHeaderBytes + 1));
  CHECK(kind_of(context, client, one_more.url(), limits) == HttpError::Kind::kTooLarge);
}

TEST_CASE("an answer has as many fields as the limit, in head and trailer together") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const auto fields = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "a:\r\n";
    return text;
  };
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
  const std::string plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
  const test::RawServer fits(context, answering(plain + fields(net::kMaxResponseFields - 1) + "\r\nok"));
  CHECK(test::run(context, client.send(get(fits.url()), {})).body == "ok");
  const test::RawServer one_more(context, answering(plain + fields(net::kMaxResponseFields) + "\r\nok"));
  CHECK(kind_of(context, client, one_more.url(), {}) == HttpError::Kind::kTooLarge);
  const test::RawServer trailer_fits(context, answering(chunked + fields(net::kMaxResponseFields - 1) + "\r\n"));
  CHECK(test::run(context, client.send(get(trailer_fits.url()), {})).body == "ok");
  const test::RawServer trailer(context, answering(chunked + fields(net::kMaxResponseFields) + "\r\n"));
  CHECK(kind_of(context, client, trailer.url(), {}) == HttpError::Kind::kTooLarge);
}

TEST_CASE("chunk extensions and trailer fields of an answer are counted") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const HttpLimits limits{.max_body_bytes = std::size_t{1} << 30U, .timeout = Milliseconds(20000)};
  for (const auto& [start, piece] : std::vector<std::pair<std::string, std::string>>{
           {head + "0\r\n", "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"},
           {head + "1;", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"},
           {head, "1;" + std::string(1000, 'e') + "\r\nx\r\n"}}) {
    const test::RawServer server(context, endlessly(start, piece));
    CHECK(kind_of(context, client, server.url(), limits) == HttpError::Kind::kTooLarge);
  }
  const test::RawServer fine(context, answering(head + "2;a=b\r\nok\r\n0\r\nX-Late: v\r\n\r\n"));
  const HttpResponse response = test::run(context, client.send(get(fine.url()), limits));
  CHECK(response.body == "ok");
  CHECK(response.header("X-Late").empty());
}

TEST_CASE("an answer that comes without a pause does not outrun its deadline") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const HttpLimits limits{.max_body_bytes = std::size_t{1} << 40U,
                          .timeout = Milliseconds(300),
                          .min_bytes_per_second = std::size_t{1} << 40U,
                          .body_delay = Milliseconds(300)};
  const test::RawServer server(
      context, endlessly("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", std::string(65536, 'x')));
  const auto forget = [&context](const HttpResponse&, base::ByteView) -> Awaitable<void> {
    context.time.advance(Milliseconds(1));
    co_return;
  };
  try {
    test::run(context, client.stream(get(server.url()), limits, forget));
    FAIL("ended");
  } catch (const HttpError& error) {
    CHECK(error.kind() == HttpError::Kind::kTimeout);
  }
}

TEST_CASE("a transfer coding that is not understood is an error") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, gzip"}) {
    const test::RawServer server(context, answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(coding) +
                                                    "\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
    CHECK(kind_of(context, client, server.url(), kQuick) == HttpError::Kind::kProtocol);
  }
}

TEST_CASE("the connection has a time of its own within that of the answer") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  // Takes the connection and never shakes hands.
  const HttpLimits limits{.timeout = Milliseconds(60000), .connect_timeout = Milliseconds(200)};
  const test::RawServer mute(context, [&](tcp::socket socket) -> Awaitable<void> {
    co_await test::read_some_request(socket);
    context.time.advance(limits.connect_timeout);
    co_await test::read_some_request(socket);
  });
  CHECK(kind_of(context, client, "https" + mute.url().substr(4), limits) == HttpError::Kind::kTimeout);
}

TEST_CASE("connections that wait for a next request are limited over all servers") {
  test::ManualContext context;
  const auto handler = [](const net::HttpServerRequest&) -> Awaitable<HttpResponse> { co_return HttpResponse(); };
  std::vector<std::unique_ptr<net::HttpServer>> servers;
  HttpClient client(context.get_executor());
  for (std::size_t i = 0; i < net::kMaxIdleConnections + 5; ++i) {
    servers.push_back(std::make_unique<net::HttpServer>(context.get_executor(), handler));
    const auto port = servers.back()->listen_tcp("127.0.0.1", 0);
    test::run(context, client.send(get("http://127.0.0.1:" + std::to_string(port)), {}));
  }
  context.restart();
  context.poll();
  std::size_t open = 0;
  for (const auto& server : servers) open += server->connection_count();
  CHECK(open == net::kMaxIdleConnections);
}

TEST_CASE("TLS peers are verified against the roots that were given") {
  test::ManualContext context;
  const test::TemporaryDirectory good;
  const test::TemporaryDirectory other;
  test::make_tls_files(good.path());
  test::make_tls_files(other.path());
  const auto handler = [](const net::HttpServerRequest&) -> Awaitable<HttpResponse> {
    co_return HttpResponse{200, {}, "secure"};
  };
  net::HttpServer server(context.get_executor(), handler);
  const auto port = server.listen_tcp(
      "127.0.0.1", 0, net::HttpServerCertificate::load({good.path() / "server.pem", good.path() / "server-key.pem"}));
  const std::string url = "https://127.0.0.1:" + std::to_string(port);
  HttpClient trusting(context.get_executor(), good.path() / "ca.pem");
  CHECK(test::run(context, trusting.send(get(url), {})).body == "secure");
  HttpClient wrong_root(context.get_executor(), other.path() / "ca.pem");
  CHECK(kind_of(context, wrong_root, url, {}) == HttpError::Kind::kTls);
  HttpClient wrong_name(context.get_executor(), good.path() / "ca.pem");
  CHECK_THROWS_WITH(
      test::run(context, wrong_name.send(get("https://localhost:" + std::to_string(port)), {})),
      ContainsSubstring("the certificate is not for localhost but for") && ContainsSubstring("127.0.0.1"));
  CHECK_THROWS_WITH(HttpClient(context.get_executor(), good.path() / "server-key.pem"),
                    ContainsSubstring("no usable PEM"));
}

TEST_CASE("a TLS connection outlives the time that its handshake had") {
  test::ManualContext context;
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  const auto handler = [&context](const net::HttpServerRequest&) -> Awaitable<HttpResponse> {
    context.time.advance(Milliseconds(300));
    co_await base::sleep_for(context.get_executor(), Milliseconds(0));  // until what was due by then is over
    co_return HttpResponse{200, {}, "late"};
  };
  net::HttpServer server(context.get_executor(), handler, {.request_timeout = Milliseconds(150)});
  const auto port = server.listen_tcp(
      "127.0.0.1", 0,
      net::HttpServerCertificate::load({directory.path() / "server.pem", directory.path() / "server-key.pem"}));
  HttpClient client(context.get_executor(), directory.path() / "ca.pem");
  CHECK(test::run(context, client.send(get("https://127.0.0.1:" + std::to_string(port)), {})).body == "late");
}

TEST_CASE("what may not be done twice is not sent again, a read is") {
  test::ManualContext context;
  int requests = 0;
  // Keeps the connection open after the first answer, and closes it upon the second request.
  const test::RawServer server(context, [&requests](tcp::socket socket) -> Awaitable<void> {
    co_await test::read_some_request(socket);
    ++requests;
    co_await test::write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    co_await test::read_some_request(socket);
    ++requests;
  });
  HttpClient client(context.get_executor());
  CHECK(test::run(context, client.send(get(server.url()), kQuick)).body == "ok");
  CHECK(test::run(context, client.send(get(server.url()), kQuick)).body == "ok");
  requests = 0;
  const HttpRequest post{.method = "POST", .url = server.url(), .headers = {}, .body = "x"};
  CHECK_THROWS_AS(test::run(context, client.send(post, kQuick)), HttpError);
  CHECK(requests == 1);
}

TEST_CASE("a stream hands on what arrives, and gives up on one that crawls") {
  test::ManualContext context;
  HttpClient client(context.get_executor());
  const std::string body(600000, 'z');
  const test::RawServer server(context, answering("HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n" + body));
  std::string received;
  const auto sink = [&received](const HttpResponse&, base::ByteView bytes) -> Awaitable<void> {
    received += base::text_of(bytes);
    co_return;
  };
  const HttpLimits limits{.max_body_bytes = 1 << 20, .timeout = Milliseconds(5000)};
  CHECK(test::run(context, client.stream(get(server.url()), limits, sink)).status == 200);
  CHECK(received == body);

  received.clear();
  const test::RawServer refusing(context, answering("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"));
  const HttpResponse refusal = test::run(context, client.stream(get(refusing.url()), limits, sink));
  CHECK(refusal.status == 404);
  CHECK(refusal.body == "nope");
  CHECK(received.empty());
  for (const std::size_t size : {std::size_t{65536}, std::size_t{65537}}) {
    const std::string head = "HTTP/1.1 404 Not Found\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    const test::RawServer wordy(context, answering(head + std::string(size, 'n')));
    const HttpResponse told = test::run(context, client.stream(get(wordy.url()), limits, sink));
    CHECK(told.status == 404);
    CHECK(told.body.size() == (size == 65536 ? size : 0));
  }
  const std::string chunked = "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" +
                              std::string(0x8000, 'n') + "\r\n8001\r\n" + std::string(0x8001, 'n') + "\r\n0\r\n\r\n";
  const test::RawServer endless(context, answering(chunked));
  const HttpResponse busy = test::run(context, client.stream(get(endless.url()), limits, sink));
  CHECK(busy.status == 503);
  CHECK(busy.body.size() == 0x8000);

  const test::RawServer crawling(context,
                                 [&context](tcp::socket socket) { return crawl(std::move(socket), context.time); });
  const HttpLimits impatient{.max_body_bytes = 1000,
                             .timeout = Milliseconds(300),
                             .min_bytes_per_second = 1000,
                             .body_delay = Milliseconds(300)};
  try {
    test::run(context, client.stream(get(crawling.url()), impatient, sink));
    FAIL("ended");
  } catch (const HttpError& error) {
    CHECK(error.kind() == HttpError::Kind::kTimeout);
  }
}

TEST_CASE("a proxy is asked for what is not on loopback") {
  test::ManualContext context;
  std::string seen;
  const auto handler = [&seen](const net::HttpServerRequest& request) -> Awaitable<HttpResponse> {
    seen = std::string(request.header("Host")) + request.path;
    co_return HttpResponse{200, {}, "by proxy"};
  };
  net::HttpServer proxy(context.get_executor(), handler);
  const std::string proxy_url = "http://127.0.0.1:" + std::to_string(proxy.listen_tcp("127.0.0.1", 0));
  REQUIRE(::setenv("http_proxy", proxy_url.c_str(), 1) == 0);
  REQUIRE(::setenv("https_proxy", proxy_url.c_str(), 1) == 0);
  HttpClient client(context.get_executor());
  CHECK(test::run(context, client.send(get("http://registry.invalid/v2/"), {})).body == "by proxy");
  CHECK(seen == "registry.invalid/v2/");
  seen.clear();
  HttpClient unproxied(context.get_executor(), std::nullopt, HttpClient::Proxies::kNone);
  kind_of(context, unproxied, "http://registry.invalid/v2/", {});
  CHECK(seen.empty());
  CHECK(kind_of(context, client, "https://registry.invalid/", {}) != HttpError::Kind::kTimeout);
  REQUIRE(::setenv("no_proxy", "example.org,.invalid", 1) == 0);
  HttpClient direct(context.get_executor());
  CHECK(kind_of(context, direct, "http://registry.invalid/v2/", {}) == HttpError::Kind::kConnect);
  ::unsetenv("no_proxy");
  ::unsetenv("http_proxy");
  ::unsetenv("https_proxy");
}

TEST_CASE("a client of a Unix socket finds its server there, whatever the URL says") {
  const test::TemporaryDirectory folder;
  const std::filesystem::path path = folder.path() / "server.sock";
  asio::io_context context;
  net::HttpServer server(context.get_executor(), [](net::HttpServerRequest& request) -> Awaitable<HttpResponse> {
    co_return HttpResponse{.body = std::string(request.header("Host")) + request.path};
  });
  server.listen_unix(path, 0600);
  HttpClient client = HttpClient::over_unix_socket(context.get_executor(), path);
  CHECK(test::run(context, client.send(get("http://localhost/v1/status"), {})).body == "localhost/v1/status");
  CHECK(test::run(context, client.send(get("http://localhost/again"), {})).body == "localhost/again");
  CHECK(server.connection_count() == 1);  // kept for the second request
  test::run(context, server.stop(Milliseconds(100)));
}

TEST_CASE("a client of a Unix socket that is not there says so") {
  const test::TemporaryDirectory folder;
  asio::io_context context;
  HttpClient client = HttpClient::over_unix_socket(context.get_executor(), folder.path() / "absent.sock");
  CHECK(kind_of(context, client, "http://localhost/", {}) == HttpError::Kind::kConnect);
  const std::filesystem::path long_path = folder.path() / std::string(200, 'x');
  CHECK_THROWS_AS(HttpClient::over_unix_socket(context.get_executor(), long_path), base::InvalidInput);
}
