#include "net/http_conversation.h"

#include <array>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/http_bench.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

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

std::string refusal(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("a request is answered byte for byte") {
  HttpBench bench;
  CHECK(bench.exchange("GET /a?q HTTP/1.1\r\n" + kClose) == ok("GET /a q "));
  CHECK(bench.exchange("POST /p HTTP/1.1\r\nContent-Length: 4\r\n" + kClose + "body") == ok("POST /p  body"));
  CHECK(bench.exchange("GET /old HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("pipelined requests are answered in order") {
  HttpBench bench;
  CHECK(bench.exchange("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\n" +
                       kClose) == ok("GET /1  ", false) + ok("GET /2  ", false) + ok("GET /3  "));
}

TEST_CASE("header and body at their limits, and one beside") {
  HttpBench bench;
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

TEST_CASE("a field costs more than its bytes, so there are only so many, in head and trailer") {
  HttpBench bench;
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

TEST_CASE("a Host that is missing, or could be read in more than one way, is refused") {
  HttpBench bench;
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

TEST_CASE("chunked bodies count what they carry, not what they announce") {
  HttpBench bench;
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose;
  CHECK(bench.exchange(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") == ok("POST /  abcde"));
  std::string bomb = head;
  for (int i = 0; i < 65; ++i) bomb += "1\r\nx\r\n";
  CHECK(status_of(bench.exchange(bomb + "0\r\n\r\n")) == "HTTP/1.1 413 Payload Too Large");
  CHECK(status_of(bench.exchange(head + "ffffffffffffffff\r\n")) == "HTTP/1.1 413 Payload Too Large");
  CHECK(status_of(bench.exchange(head + "zz\r\n")) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("chunk extensions and trailer fields are counted, at their limit and one beyond") {
  HttpBench bench;
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

TEST_CASE("what stands between the pieces of a body is limited over all of them") {
  test::ManualContext context;
  HttpServerLimits limits = kHttpLimits;
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

TEST_CASE("a trailer field is no header field") {
  test::ManualContext context;
  const auto handler = [](const HttpServerRequest& request) -> Awaitable<HttpResponse> {
    co_return HttpResponse{200, {}, std::string(request.header("X-Role"))};
  };
  HttpServer server(context.get_executor(), handler, kHttpLimits);
  Local::socket socket = connect_to(context, server);
  const std::string response = test::run(context, converse(socket, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" +
                                                                       kClose + "0\r\nX-Role: admin\r\n\r\n"));
  CHECK(response.ends_with("Content-Length: 0\r\n\r\n"));
}

TEST_CASE("a body whose end is not marked is never the next request") {
  HttpBench bench;
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

TEST_CASE("Content-Length beside Transfer-Encoding, twice, or no number") {
  HttpBench bench;
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + kClose +
                                 "0\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" + kClose +
                                 "0\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + kClose + "abcd")) ==
        "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("POST / HTTP/1.1\r\nContent-Length: -1\r\n" + kClose)) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("a client that expects 100-continue is told to go on") {
  HttpBench bench;
  CHECK(bench.exchange("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + kClose + "ok") ==
        "HTTP/1.1 100 Continue\r\n\r\n" + ok("POST /  ok"));
  INFO("HTTP/1.0 has no such answer");
  CHECK(bench.exchange("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + kClose + "ok")
            .starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("the absolute form is the same resource, other spellings are others") {
  HttpBench bench;
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

TEST_CASE("what is not HTTP gets one answer and no more") {
  HttpBench bench;
  CHECK(status_of(bench.exchange(std::string("GET /\0x HTTP/1.1\r\n\r\n", 21))) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/1.1\r\nBad Header\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("nonsense\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/3.7\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
  CHECK(status_of(bench.exchange("GET / HTTP/1.1\r\n folded: x\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("HEAD has the header of an answer and no body") {
  HttpBench bench;
  const std::string response = bench.exchange("HEAD /h HTTP/1.1\r\n" + kClose);
  CHECK(status_of(response) == "HTTP/1.1 200 OK");
  CHECK(response.ends_with("\r\n\r\n"));
}

TEST_CASE("slow headers and slow bodies are given up with 408") {
  HttpBench bench;
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

TEST_CASE("a stream without a pause does not outrun its deadline") {
  test::ManualContext context;
  HttpServerLimits limits = kHttpLimits;
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
struct AdmittingBench : HttpBench {
  static net::HttpAdmission admit(const HttpServerRequest& head) {
    if (head.path == "/small") return {.max_body_bytes = 4};
    if (head.path == "/none") return {};
    return {.answer = HttpResponse{404, {}, "no such thing"}};
  }
  HttpServer admitting{context.get_executor(), echo, kHttpLimits, admit};

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

TEST_CASE("of a refused request as much is read as the limit, and no more") {
  constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10U;
  for (const bool is_beyond : {false, true}) {
    CAPTURE(is_beyond);
    HttpBench bench;
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

TEST_CASE("a client that only closes its sending side still gets its answer") {
  HttpBench bench;
  Local::socket socket = bench.connect();
  const std::string request = "GET /half HTTP/1.1\r\nHost: x\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  socket.shutdown(Local::socket::shutdown_send);
  CHECK(test::run(bench.context, read_to_end(socket)) == ok("GET /half  ", false));
}

TEST_CASE("a handler may take as long as it likes") {
  constexpr HttpServerLimits limits = kHttpLimits;
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

TEST_CASE("a handler that throws is a 500, and the server goes on") {
  HttpBench bench;
  CHECK(bench.exchange("GET /fail HTTP/1.1\r\n" + kClose) == refusal("500 Internal Server Error", "broken handler\n"));
  CHECK(bench.exchange("GET /ok HTTP/1.1\r\n" + kClose) == ok("GET /ok  "));
}
