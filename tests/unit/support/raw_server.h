#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/asio.h"

namespace test {

/// A TCP server on loopback that does with each connection whatever a test wants, such as answering no HTTP.
class RawServer {
 public:
  using Serve = std::function<base::Awaitable<void>(asio::ip::tcp::socket)>;

  RawServer(asio::io_context& context, Serve serve);
  ~RawServer();

  std::string url() const;
  int connections() const noexcept { return *connections_; }

 private:
  std::shared_ptr<asio::ip::tcp::acceptor> acceptor_;
  std::shared_ptr<int> connections_;
};

/// Reads one request's head and whatever comes with it.
base::Awaitable<void> read_some_request(asio::ip::tcp::socket& socket);
base::Awaitable<void> write_text(asio::ip::tcp::socket& socket, std::string text);

}  // namespace test
