#include "tests/unit/support/raw_server.h"

#include <array>

#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace test {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

base::Awaitable<void> accept_loop(std::shared_ptr<tcp::acceptor> acceptor, std::shared_ptr<int> connections,
                                  RawServer::Serve serve) {
  for (;;) {
    error_code code;
    tcp::socket socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return;
    ++*connections;
    asio::co_spawn(acceptor->get_executor(), serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

RawServer::RawServer(asio::io_context& context, Serve serve)
    : acceptor_(std::make_shared<tcp::acceptor>(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0))),
      connections_(std::make_shared<int>(0)) {
  asio::co_spawn(context, accept_loop(acceptor_, connections_, std::move(serve)), asio::detached);
}

RawServer::~RawServer() { acceptor_->close(); }

std::string RawServer::url() const { return "http://127.0.0.1:" + std::to_string(acceptor_->local_endpoint().port()); }

base::Awaitable<void> read_some_request(tcp::socket& socket) {
  std::array<char, 65536> buffer{};
  error_code ignored;
  co_await socket.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ignored));
}

base::Awaitable<void> write_text(tcp::socket& socket, std::string text) {
  error_code ignored;
  co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace test
