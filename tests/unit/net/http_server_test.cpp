#include "net/http_server.h"

#include <array>
#include <atomic>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

using base::Awaitable;
using base::Milliseconds;
using boost::system::error_code;
using net::HttpResponse;
using net::HttpServer;
using net::HttpServerLimits;
using net::HttpServerRequest;
using Local = asio::local::stream_protocol;
using asio::ip::tcp;

namespace {

constexpr HttpServerLimits kLimits{.max_header_bytes = 1024,
                                   .max_fields = 8,
                                   .max_body_bytes = 64,
                                   .max_connections = 4,
                                   .idle_timeout = Milliseconds(60000),
                                   .request_timeout = Milliseconds(250),
                                   .response_timeout = Milliseconds(1000)};

Awaitable<HttpResponse> echo(const HttpServerRequest& request) {
  if (request.path == "/fail") throw base::Error("broken handler");
  HttpResponse response{200,
                        {{"Content-Type", "text/plain"}},
                        request.method + " " + request.path + " " + request.query + " " + request.body};
  co_return response;
}

/// A client's end of a connection to `server`.
Local::socket connect_to(asio::io_context& context, HttpServer& server) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  server.adopt_unix(ends[0]);
  return Local::socket(context, Local(), ends[1]);
}

template <typename Socket>
Awaitable<std::string> read_to_end(Socket& socket) {
  std::string received;
  error_code code;
  std::array<char, 4096> buffer{};
  while (!code) {
    const std::size_t got =
        co_await socket.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
    received.append(buffer.data(), got);
  }
  co_return received;
}

template <typename Socket>
Awaitable<std::string> converse(Socket& socket, std::string bytes) {
  error_code code;
  co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, code));
  co_return co_await read_to_end(socket);
}

/// The production server over an in-memory stream.
struct Bench {
  test::ManualContext context;
  HttpServer server{context.get_executor(), echo, kLimits};

  Local::socket connect() { return connect_to(context, server); }

  /// Sends bytes and reads until the server closes.
  std::string exchange(std::string bytes) {
    Local::socket socket = connect();
    return context.time.run(converse(socket, std::move(bytes)));
  }
};

std::string ok(const std::string& body, bool close = true) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + std::string(close ? "Connection: close\r\n" : "") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string refusal(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string status_of(const std::string& response) { return response.substr(0, response.find("\r\n")); }

Awaitable<void> shake_hands(asio::ssl::stream<tcp::socket>& stream, std::uint16_t port) {
  const tcp::endpoint server(asio::ip::address_v4::loopback(), port);
  co_await stream.next_layer().async_connect(server, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

const std::string kClose = "Host: x\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("a request is answered byte for byte") {
  Bench bench;
  CHECK(bench.exchange("GET /a?q HTTP/1.1\r\n" + kClose) == ok("GET /a q "));
  CHECK(bench.exchange("POST /p HTTP/1.1\r\nContent-Length: 4\r\n" + kClose + "body") == ok("POST /p  body"));
  CHECK(bench.exchange("GET /old HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("S 24: pipelined requests are answered in order") {
  Bench bench;
  CHECK(bench.exchange("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\n" +
                       kClose) == ok("GET /1  ", false) + ok("GET /2  ", false) + ok("GET /3  "));
}

TEST_CASE("S 24: header and body at their limits, and one beside") {
  Bench bench;
  const auto with_header = [](std::size_t total) {
    const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ";
    return head + std::string(total - head.size() - 4, 'x') + "\r\n\r\n";
  };
  CHECK(status_of(bench.exchange(with_header(1023))) == "HTTP/1.1 200 OK");
  CHECK(status_of(bench.exchange(with_header(1024))) == "HTTP/1.1 200 OK");
  CHECK(bench.exchange(with_header(1025)) ==
        refusal("431 Request Header Fields Too Large", "request header is too long or has too many fields\n"));
  const auto with_body = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n" + kClose + std::string(size, 'b');
  };
  CHECK(status_of(bench.exchange(with_body(63))) == "HTTP/1.1 200 OK");
  CHECK(status_of(bench.exchange(with_body(64))) == "HTTP/1.1 200 OK");
  CHECK(bench.exchange(with_body(65)) == refusal("413 Payload Too Large", "request body is too long\n"));
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n" + kClose)) ==
        "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("S 24: a field costs more than its bytes, so there are only so many, in head and trailer") {
  Bench bench;
  const auto fields = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "a:\r\n";
    return text;
  };
  const std::string start = "GET / HTTP/1.1\r\n";
  CHECK(status_of(bench.exchange(start + fields(6) + kClose)) == "HTTP/1.1 200 OK");
  CHECK(status_of(bench.exchange(start + fields(7) + kClose)) == "HTTP/1.1 431 Request Header Fields Too Large");
  const std::string chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose + "1\r\nx\r\n0\r\n";
  CHECK(bench.exchange(chunked + fields(8) + "\r\n") == ok("POST /  x"));
  CHECK(status_of(bench.exchange(chunked + fields(9) + "\r\n")) == "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_CASE("S 24: a Host that is missing, or could be read in more than one way, is refused") {
  Bench bench;
  const std::string close = "Connection: close\r\n\r\n";
  for (const char* hosts : {"", "Host: x\r\nHost: x\r\n", "Host: a b\r\n", "Host: a/c\r\n", "Host: u@a\r\n",
                            "Host: a?b\r\n", "Host: a#b\r\n", "Host: a\\b\r\n"}) {
    CAPTURE(hosts);
    CHECK(bench.exchange("GET / HTTP/1.1\r\n" + std::string(hosts) + close) ==
          refusal("400 Bad Request", "malformed HTTP request: target or Host\n"));
  }
  for (const char* host : {"Host:\r\n", "Host: x\r\n", "Host: [::1]:80\r\n", "host: a.b-c_d:1\r\n"}) {
    CAPTURE(host);
    CHECK(bench.exchange("GET / HTTP/1.1\r\n" + std::string(host) + close) == ok("GET /  "));
  }
  CHECK(bench.exchange("GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("S 24: chunked bodies count what they carry, not what they announce") {
  Bench bench;
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose;
  CHECK(bench.exchange(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") == ok("POST /  abcde"));
  std::string bomb = head;
  for (int i = 0; i < 65; ++i) bomb += "1\r\nx\r\n";
  CHECK(status_of(bench.exchange(bomb + "0\r\n\r\n")) == "HTTP/1.1 413 Payload Too Large");
  CHECK(status_of(bench.exchange(head + "ffffffffffffffff\r\n")) == "HTTP/1.1 413 Payload Too Large");
  CHECK(status_of(bench.exchange(head + "zz\r\n")) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("S 24: chunk extensions and trailer fields are counted, at their limit and one beyond") {
  Bench bench;
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose;
  const auto with_extension = [&](std::size_t line) {
    const std::string start = "3;x=";
    return head + start + std::string(line - start.size() - 2, 'e') + "\r\nabc\r\n0\r\n\r\n";
  };
  CHECK(bench.exchange(with_extension(1024)) == ok("POST /  abc"));
  CHECK(status_of(bench.exchange(with_extension(1025))) == "HTTP/1.1 431 Request Header Fields Too Large");
  const auto with_trailer = [&](std::size_t total) {
    const std::string start = "0\r\nX: ";
    return head + "3\r\nabc" + "\r\n" + start + std::string(total - start.size() - 6, 't') + "\r\n\r\n";
  };
  CHECK(bench.exchange(with_trailer(1024)) == ok("POST /  abc"));
  CHECK(status_of(bench.exchange(with_trailer(1025))) == "HTTP/1.1 431 Request Header Fields Too Large");
  // Without an end, and of many fields.
  CHECK(status_of(bench.exchange(head + "3;" + std::string(100000, 'e'))) ==
        "HTTP/1.1 431 Request Header Fields Too Large");
  std::string fields = head + "0\r\n";
  for (int i = 0; i < 10000; ++i) fields += "A: b\r\n";
  CHECK(status_of(bench.exchange(fields)) == "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_CASE("S 24: what stands between the pieces of a body is limited over all of them") {
  test::ManualContext context;
  HttpServerLimits limits = kLimits;
  limits.max_body_bytes = 100000;
  HttpServer server(context.get_executor(), echo, limits);
  // Chunks of one byte with extensions, so that all but the bytes themselves weighs `framing`.
  const auto send_chunks = [&](std::size_t framing) {
    constexpr std::size_t kChunks = 70;
    const std::string end = "\r\n0\r\n\r\n";
    std::string body;
    std::size_t left = framing - end.size();
    for (std::size_t i = 0; i < kChunks; ++i) {
      const std::string start = i == 0 ? "1;" : "\r\n1;";
      const std::size_t share = i + 1 < kChunks ? framing / kChunks : left;
      left -= share;
      body += start + std::string(share - start.size() - 2, 'e') + "\r\nx";
    }
    body += end;
    REQUIRE(body.size() == framing + kChunks);
    Local::socket socket = connect_to(context, server);
    const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose;
    return status_of(test::run(context, converse(socket, head + body)));
  };
  constexpr std::size_t kMost = (std::size_t{64} << 10U) + 70;  // and as much as the body
  CHECK(send_chunks(kMost) == "HTTP/1.1 200 OK");
  CHECK(send_chunks(kMost + 1) == "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_CASE("S 24: a trailer field is no header field") {
  test::ManualContext context;
  const auto handler = [](const HttpServerRequest& request) -> Awaitable<HttpResponse> {
    co_return HttpResponse{200, {}, std::string(request.header("X-Role"))};
  };
  HttpServer server(context.get_executor(), handler, kLimits);
  Local::socket socket = connect_to(context, server);
  const std::string response = test::run(context, converse(socket, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" +
                                                                       kClose + "0\r\nX-Role: admin\r\n\r\n"));
  CHECK(response.ends_with("Content-Length: 0\r\n\r\n"));
}

TEST_CASE("S 24: a body whose end is not marked is never the next request") {
  Bench bench;
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\n" + kClose;
  for (const char* coding : {"gzip", "chunked, gzip", "identity", "xchunked", ""}) {
    CAPTURE(coding);
    const std::string response = bench.exchange(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n" + smuggled);
    CHECK(status_of(response) == "HTTP/1.1 400 Bad Request");
    CHECK_THAT(response, !ContainsSubstring("smuggled"));
  }
  CHECK(status_of(bench.exchange("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) ==
        "HTTP/1.1 400 Bad Request");
  for (const char* coding : {"gzip, chunked", "chunked;q=1", "gzip\r\nTransfer-Encoding: chunked"}) {
    CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + std::string(coding) +
                                   "\r\n\r\n0\r\n\r\n")) == "HTTP/1.1 501 Not Implemented");
  }
}

TEST_CASE("S 24: Content-Length beside Transfer-Encoding, twice, or no number") {
  Bench bench;
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + kClose +
                                 "0\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" + kClose +
                                 "0\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + kClose + "abcd")) ==
        "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: -1\r\n" + kClose)) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("S 24: a client that expects 100-continue is told to go on") {
  Bench bench;
  CHECK(bench.exchange("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + kClose + "ok") ==
        "HTTP/1.1 100 Continue\r\n\r\n" + ok("POST /  ok"));
  INFO("HTTP/1.0 has no such answer");
  CHECK(bench.exchange("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + kClose + "ok")
            .starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("S 24: the absolute form is the same resource, other spellings are others") {
  Bench bench;
  CHECK(bench.exchange("GET http://localhost/v1/token HTTP/1.1\r\n" + kClose) == ok("GET /v1/token  "));
  CHECK(bench.exchange("GET http://localhost HTTP/1.1\r\n" + kClose) == ok("GET /  "));
  CHECK(bench.exchange("GET HTTP://localhost:80?q HTTP/1.1\r\n" + kClose) == ok("GET / q "));
  CHECK(bench.exchange("GET http://h?x=/v1/token HTTP/1.1\r\n" + kClose) == ok("GET / x=/v1/token "));
  for (const char* target : {"http:///v1/token", "http://u:p@h/v1/token", "http://h#/v1/token", "http://h/v1#/token",
                             "/v1/token#x", "http://", "https://?/v1/token"}) {
    CAPTURE(target);
    CHECK(status_of(bench.exchange("GET " + std::string(target) + " HTTP/1.1\r\n" + kClose)) ==
          "HTTP/1.1 400 Bad Request");
  }
  CHECK(bench.exchange("GET //v1//token HTTP/1.1\r\n" + kClose) == ok("GET //v1//token  "));
  CHECK(bench.exchange("GET /v1/%2e%2e/token HTTP/1.1\r\n" + kClose) == ok("GET /v1/%2e%2e/token  "));
}

TEST_CASE("S 24: what is not HTTP gets one answer and no more") {
  Bench bench;
  CHECK(status_of(bench.exchange(std::string("GET /\0x HTTP/1.1\r\n\r\n", 21))) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/1.1\r\nBad Header\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("nonsense\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/3.7\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/1.1\r\n folded: x\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("S 24: HEAD has the header of an answer and no body") {
  Bench bench;
  const std::string response = bench.exchange("HEAD /h HTTP/1.1\r\n" + kClose);
  CHECK(status_of(response) == "HTTP/1.1 200 OK");
  CHECK(response.ends_with("\r\n\r\n"));
}

TEST_CASE("S 24: slow headers and slow bodies are given up with 408") {
  Bench bench;
  CHECK(status_of(bench.exchange("GET / HTT")) == "HTTP/1.1 408 Request Timeout");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")) ==
        "HTTP/1.1 408 Request Timeout");
}

namespace {

/// Sends `piece` again and again as fast as the server takes it; returns what it answered when it has had enough.
Awaitable<std::string> send_for_ever(Local::socket& socket, std::string head, std::string piece,
                                     test::ManualTime& time) {
  error_code code;
  co_await asio::async_write(socket, asio::buffer(head), asio::redirect_error(asio::use_awaitable, code));
  while (!code) {
    co_await asio::async_write(socket, asio::buffer(piece), asio::redirect_error(asio::use_awaitable, code));
    time.advance(Milliseconds(1));
  }
  co_return co_await read_to_end(socket);
}

}  // namespace

TEST_CASE("S 24: a stream without a pause does not outrun its deadline") {
  test::ManualContext context;
  HttpServerLimits limits = kLimits;
  limits.max_body_bytes = std::size_t{1} << 40U;
  limits.max_buffered_bytes = std::size_t{1} << 40U;
  HttpServer server(context.get_executor(), echo, limits);
  Local::socket socket = connect_to(context, server);
  const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string response = test::run(context, send_for_ever(socket, head, chunk, context.time));
  CHECK(status_of(response) == "HTTP/1.1 408 Request Timeout");
}

namespace {

/// A server that decides by the head: /small takes 4 bytes, /none no body, and everything else does not exist.
struct AdmittingBench : Bench {
  static net::HttpAdmission admit(const HttpServerRequest& head) {
    if (head.path == "/small") return {.max_body_bytes = 4};
    if (head.path == "/none") return {};
    return {.answer = HttpResponse{404, {}, "no such thing"}};
  }
  HttpServer admitting{context.get_executor(), echo, kLimits, admit};

  std::string exchange(std::string bytes) {
    Local::socket socket = connect_to(context, admitting);
    return test::run(context, converse(socket, std::move(bytes)));
  }
};

}  // namespace

TEST_CASE("a body is read only if its head was admitted, and as long as was admitted") {
  AdmittingBench bench;
  const auto post = [](const std::string& path, const std::string& length) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n";
  };
  CHECK(bench.exchange("POST /small HTTP/1.1\r\nContent-Length: 4\r\n" + kClose + "abcd") == ok("POST /small  abcd"));
  CHECK(status_of(bench.exchange(post("/small", "5"))) == "HTTP/1.1 413 Payload Too Large");
  CHECK(status_of(bench.exchange(post("/none", "1"))) == "HTTP/1.1 413 Payload Too Large");
  CHECK(bench.exchange("GET /none HTTP/1.1\r\n" + kClose) == ok("GET /none  "));
  // Answered before a byte of the body was sent, and nothing read as the next request.
  const std::string refused = bench.exchange(post("/nowhere", "64"));
  CHECK(status_of(refused) == "HTTP/1.1 404 Not Found");
  CHECK_THAT(refused, ContainsSubstring("Connection: close") && ContainsSubstring("no such thing"));
  CHECK(status_of(
            bench.exchange("POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")) ==
        "HTTP/1.1 404 Not Found");
  CHECK(status_of(
            bench.exchange("POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")) ==
        "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("S 24: of a refused request as much is read as the limit, and no more") {
  constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10U;
  for (const bool is_beyond : {false, true}) {
    CAPTURE(is_beyond);
    Bench bench;
    Local::socket socket = bench.connect();
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    CHECK(status_of(test::run(bench.context, converse(socket, head))) == "HTTP/1.1 413 Payload Too Large");
    const std::string rest(kMaxDrainedBytes + (is_beyond ? 1 : 0), 'x');
    error_code code;
    asio::async_write(socket, asio::buffer(rest), [&](const error_code& failure, std::size_t) { code = failure; });
    bench.context.restart();
    bench.context.run();
    CHECK(bench.server.connection_count() == 0);
    // A Unix socket that is closed with something unread in it resets its peer.
    std::array<char, 1> byte{};
    if (!code) socket.read_some(asio::buffer(byte), code);
    CHECK(code == (is_beyond ? error_code(asio::error::connection_reset) : error_code(asio::error::eof)));
  }
}

TEST_CASE("a refusal of a request without a body keeps the connection") {
  AdmittingBench bench;
  const std::string both = bench.exchange("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\n" + kClose);
  CHECK(status_of(both) == "HTTP/1.1 404 Not Found");
  CHECK(both.ends_with(ok("GET /none  ")));
}

TEST_CASE("S 24: a client that only closes its sending side still gets its answer") {
  Bench bench;
  Local::socket socket = bench.connect();
  const std::string request = "GET /half HTTP/1.1\r\nHost: x\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  socket.shutdown(Local::socket::shutdown_send);
  CHECK(test::run(bench.context, read_to_end(socket)) == ok("GET /half  ", false));
}

TEST_CASE("S 24: a client that is gone before its answer harms nobody") {
  Bench bench;
  for (int i = 0; i < 20; ++i) {
    Local::socket socket = bench.connect();
    asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    socket.close();
    bench.context.poll();
  }
  CHECK(bench.exchange("GET /still HTTP/1.1\r\n" + kClose) == ok("GET /still  "));
  CHECK(bench.server.connection_count() <= 1);
}

TEST_CASE("S 24: ten thousand idle connections keep nobody out") {
  Bench bench;
  std::vector<Local::socket> idle;
  for (int i = 0; i < 10000; ++i) {
    Local::socket socket = bench.connect();
    bench.context.poll();
    CHECK(bench.server.connection_count() <= kLimits.max_connections + 1);
    // The test's own ends would run out of descriptors; the server has closed its ends of all but the last.
    if (idle.size() > kLimits.max_connections * 2) idle.erase(idle.begin());
    idle.push_back(std::move(socket));
  }
  CHECK(bench.exchange("GET /in HTTP/1.1\r\n" + kClose) == ok("GET /in  "));
}

namespace {

/// Connections over TCP from addresses of their own.
struct TcpBench {
  explicit TcpBench(HttpServerLimits limits, std::vector<net::IpNetwork> proxies = {})
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

TEST_CASE("S 24: three hundred clients of one address are all served while there is room") {
  HttpServerLimits limits = kLimits;
  limits.max_connections = 300;
  TcpBench bench(limits);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(bench.connect("127.0.0.1"));
  for (auto& client : clients) CHECK(bench.status(client) == "HTTP/1.1 200 OK");
}

TEST_CASE("S 24: one address with many connections takes none from another") {
  TcpBench bench(kLimits);
  auto honest = bench.connect("127.0.0.1");
  std::vector<tcp::socket> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(bench.connect("127.0.0.2"));
    CHECK(bench.server.connection_count() <= kLimits.max_connections + 1);
  }
  CHECK(bench.status(honest) == "HTTP/1.1 200 OK");
  auto another = bench.connect("127.0.0.3");
  CHECK(bench.status(another) == "HTTP/1.1 200 OK");
}

TEST_CASE("S 24: bodies of all connections together are limited, and the peer with most gives way") {
  HttpServerLimits limits = kLimits;
  limits.max_connections = 16;
  limits.max_body_bytes = std::size_t{64} << 10U;
  limits.max_buffered_bytes = std::size_t{128} << 10U;
  TcpBench bench(limits);
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

TEST_CASE("S 24: answers that nobody takes are limited over all connections, and the peer with most gives way") {
  constexpr std::size_t kAnswer = std::size_t{8} << 20U;  // more than any socket holds
  HttpServerLimits limits = kLimits;
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

TEST_CASE("S 24: who says nothing, or takes no answer, is not waited for") {
  HttpServerLimits limits = kLimits;
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

TEST_CASE("a handler may take as long as it likes") {
  constexpr HttpServerLimits limits = kLimits;
  test::ManualContext context;
  HttpServer server(
      context.get_executor(),
      [&](const HttpServerRequest&) -> Awaitable<HttpResponse> {
        // Past the request's deadline, and past the second after which a deadline closes the connection.
        for (const Milliseconds duration : {limits.request_timeout, Milliseconds(1000)}) {
          context.time.advance(duration);
          co_await base::sleep_for(context.get_executor(), Milliseconds(0));
        }
        HttpResponse response{200, {}, "late"};
        co_return response;
      },
      limits);
  Local::socket socket = connect_to(context, server);
  const std::string answer = test::run(context, converse(socket, "GET / HTTP/1.1\r\n" + kClose));
  CHECK(status_of(answer) == "HTTP/1.1 200 OK");
}

TEST_CASE("S 24: a body for which there is no memory is refused, and the client may come again") {
  HttpServerLimits limits = kLimits;
  limits.max_body_bytes = std::size_t{64} << 10U;
  limits.max_buffered_bytes = std::size_t{32} << 10U;
  TcpBench bench(limits);
  auto client = bench.connect("127.0.0.1");
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 40000\r\n" + kClose + std::string(40000, 'y');
  const std::string response = test::run(bench.context, converse(client, request));
  CHECK(status_of(response) == "HTTP/1.1 503 Service Unavailable");
  CHECK_THAT(response, ContainsSubstring("Retry-After: 1\r\n"));
}

TEST_CASE("a trusted proxy tells whose connection it is, and must") {
  TcpBench bench(kLimits, {*net::IpNetwork::parse("127.0.0.5/32")});
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

TEST_CASE("S 24: as many connections at work as the limit says, and one more is told so") {
  test::ManualContext context;
  base::Event gate(context.get_executor());
  const auto slow = [&gate](const HttpServerRequest&) -> Awaitable<HttpResponse> {
    co_await gate.wait();
    co_return HttpResponse{200, {}, "done"};
  };
  HttpServer server(context.get_executor(), slow, kLimits);
  std::vector<Local::socket> clients;
  for (std::size_t i = 0; i <= kLimits.max_connections; ++i) {
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

TEST_CASE("S 24: a TLS session leaves nothing behind in the server") {
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  Bench bench;
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

TEST_CASE("a handler that throws is a 500, and the server goes on") {
  Bench bench;
  CHECK(bench.exchange("GET /fail HTTP/1.1\r\n" + kClose) == refusal("500 Internal Server Error", "broken handler\n"));
  CHECK(bench.exchange("GET /ok HTTP/1.1\r\n" + kClose) == ok("GET /ok  "));
}

TEST_CASE("S 23: a Unix socket appears when it is ready, with its mode, over a stale one but not a live one") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "s.sock";
  test::ManualContext context;
  { Local::acceptor stale(context, Local::endpoint(path.string())); }
  REQUIRE(std::filesystem::is_socket(path));
  HttpServer first(context.get_executor(), echo, kLimits);
  first.listen_unix(path, 0777);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0777);
  HttpServer second(context.get_executor(), echo, kLimits);
  CHECK_THROWS_WITH(second.listen_unix(path, 0777), ContainsSubstring("is served by another process"));
  test::run(context, first.stop(Milliseconds(100)));
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::create_directory(path);
  CHECK_THROWS_WITH(second.listen_unix(path, 0777), ContainsSubstring("is a folder"));
}

TEST_CASE("S 23: who connects in a loop is never let in before the socket is ready") {
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
    HttpServer server(context.get_executor(), echo, kLimits);
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
  HttpServer server(context.get_executor(), slow, kLimits);
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
