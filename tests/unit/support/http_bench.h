#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"

/// The production server, of which a test holds the other end of every connection.
namespace test {

using Local = asio::local::stream_protocol;

constexpr net::HttpServerLimits kHttpLimits{.max_header_bytes = 1024,
                                            .max_fields = 8,
                                            .max_body_bytes = 64,
                                            .max_connections = 4,
                                            .idle_timeout = base::Milliseconds(60000),
                                            .request_timeout = base::Milliseconds(250),
                                            .response_timeout = base::Milliseconds(1000)};

/// Answers with method, path, query and body.
inline base::Awaitable<net::HttpResponse> echo(const net::HttpServerRequest& request) {
  if (request.path == "/fail") throw base::Error("broken handler");
  net::HttpResponse response{200,
                             {{"Content-Type", "text/plain"}},
                             request.method + " " + request.path + " " + request.query + " " + request.body};
  co_return response;
}

/// A client's end of a connection to `server`.
inline Local::socket connect_to(asio::io_context& context, net::HttpServer& server) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  server.adopt_unix(ends[0]);
  return Local::socket(context, Local(), ends[1]);
}

template <typename Socket>
base::Awaitable<std::string> read_to_end(Socket& socket) {
  std::string received;
  boost::system::error_code code;
  std::array<char, 4096> buffer{};
  while (!code) {
    const std::size_t got =
        co_await socket.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
    received.append(buffer.data(), got);
  }
  co_return received;
}

/// Sends bytes and reads until the server closes.
template <typename Socket>
base::Awaitable<std::string> converse(Socket& socket, std::string bytes) {
  boost::system::error_code code;
  co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, code));
  co_return co_await read_to_end(socket);
}

inline std::string status_of(const std::string& response) { return response.substr(0, response.find("\r\n")); }

/// An echoing server over in-memory streams.
struct HttpBench {
  ManualContext context;
  net::HttpServer server{context.get_executor(), echo, kHttpLimits};

  Local::socket connect() { return connect_to(context, server); }

  std::string exchange(std::string bytes) {
    Local::socket socket = connect();
    return context.time.run(converse(socket, std::move(bytes)));
  }
};

/// The end of the head of a client's last request.
inline const std::string kClose = "Host: x\r\nConnection: close\r\n\r\n";

/// What echo() answers, byte for byte.
inline std::string ok(const std::string& body, bool close = true) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + std::string(close ? "Connection: close\r\n" : "") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace test
