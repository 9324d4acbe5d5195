#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <boost/asio/io_context.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"

namespace {

base::Awaitable<net::HttpResponse> echo(const net::HttpServerRequest& request) {
  net::HttpResponse response;
  response.headers.push_back({"Content-Type", "text/plain"});
  response.body = request.method + " " + request.path + "\n" + request.body;
  co_return response;
}

/// Takes what the server has answered so far.
void drain(int socket, std::string& answer) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count <= 0) return;
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

/// A client that sends the bytes, closes its sending half and takes whatever the server answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) std::abort();
  const int client = sockets[0];
  std::string answer;
  {
    boost::asio::io_context context;
    net::HttpServer server(context.get_executor(), echo);
    server.adopt_unix(sockets[1]);
    std::size_t sent = 0;
    bool open = true;
    do {
      const ssize_t count = sent == size ? 0 : ::send(client, data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
      const bool refused = count < 0 && errno != EAGAIN;
      if (open && (sent == size || refused)) {
        ::shutdown(client, SHUT_WR);
        open = false;
      }
      context.run_one_for(std::chrono::milliseconds{1});
      context.poll();
      drain(client, answer);
    } while (server.connection_count() > 0);
  }
  drain(client, answer);
  ::close(client);
  if (!answer.empty() && !answer.starts_with("HTTP/1.")) std::abort();
  return 0;
}
