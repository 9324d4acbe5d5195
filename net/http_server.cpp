#include "net/http_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "net/accept_thread.h"
#include "net/connection_table.h"
#include "net/http_conversation.h"
#include "net/proxy_protocol.h"

namespace net {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using local = asio::local::stream_protocol;

/// What all connections of a listener have in common. Its accepting thread sees the proxies only.
struct Listener {
  std::shared_ptr<ssl::context> tls;  ///< none: no TLS
  std::vector<IpNetwork> trusted_proxies;

  bool is_trusted_proxy(const asio::ip::address& address) const {
    return std::ranges::any_of(trusted_proxies, [&](const auto& proxy) { return proxy.contains(address); });
  }
};

}  // namespace

struct HttpServerState : std::enable_shared_from_this<HttpServerState> {
  HttpServerState(asio::any_io_executor e, HttpService s)
      : executor(std::move(e)),
        service(std::move(s)),
        connections(
            {.max_connections = service.limits.max_connections, .max_bytes = service.limits.max_buffered_bytes}) {}

  void listen(base::FileDescriptor socket, const std::shared_ptr<Listener>& listener);
  void stop_listening();
  void start_connection(AcceptedConnection accepted, const std::shared_ptr<Listener>& listener);

  asio::any_io_executor executor;
  HttpService service;
  ConnectionTable connections;
  std::vector<std::unique_ptr<AcceptThread>> acceptors;
  std::vector<std::shared_ptr<Listener>> tls_listeners;
  std::vector<std::filesystem::path> socket_files;
  std::optional<base::Event> all_closed;
};

namespace {

/// Reads the header of a trusted proxy. False when there is none that is valid.
base::Awaitable<bool> read_proxy_header(StreamSocket& socket, ConnectionTable::Place& place) {
  error_code code;
  base::Bytes start(kProxyHeaderStart);
  co_await asio::async_read(socket, asio::buffer(start), asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return false;
  try {
    base::Bytes rest(proxy_header_rest(start));
    co_await asio::async_read(socket, asio::buffer(rest), asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return false;
    if (const auto source = proxy_header_source(start, rest)) place.set_peer(Peer::of_address(*source));
    co_return true;
  } catch (const base::InvalidInput& error) {
    base::log::warning("a connection of a proxy was closed", {{"reason", error.what()}});
    co_return false;
  }
}

/// An accepted connection. The members go in the opposite order: the place before the server whose table it is in.
struct Connection {
  std::shared_ptr<HttpServerState> server;
  std::shared_ptr<Listener> listener;  ///< none when the socket was adopted, or is a Unix socket
  std::shared_ptr<StreamSocket> socket;
  bool is_from_proxy;
  std::unique_ptr<ConnectionTable::Place> place;
};

/// From the connection's first byte to its end. It costs little more than its socket until it has said something.
base::Awaitable<void> serve(Connection connection) {
  StreamSocket& socket = *connection.socket;
  ConnectionTable::Place& place = *connection.place;
  const HttpServerLimits& limits = connection.server->service.limits;
  Deadline deadline(
      connection.server->executor, [&socket] { cancel(socket); }, [&socket] { close(socket); });
  deadline.arm(limits.idle_timeout);
  error_code code;
  co_await socket.async_wait(StreamSocket::wait_read, asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return;
  place.set_state(ConnectionTable::State::kReading);
  deadline.arm(limits.request_timeout);
  if (connection.is_from_proxy) {
    const bool introduced = co_await read_proxy_header(socket, place);
    if (!introduced) co_return;
  }
  if (const auto tls = connection.listener ? connection.listener->tls : nullptr) {
    TlsStream stream(socket, *tls);
    co_await stream.async_handshake(ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, code));
    if (code || deadline.passed()) co_return;
    co_await converse(connection.server->service, stream, deadline, place);
  } else {
    co_await converse(connection.server->service, socket, deadline, place);
  }
  socket.shutdown(asio::socket_base::shutdown_both, code);
}

/// A connection that is broken off is nothing to tell; anything else is a bug.
void log_end(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted)
      base::log::error("a connection failed", {{"error", error.what()}});
  } catch (const std::exception& error) {
    base::log::error("a connection failed", {{"error", error.what()}});
  }
}

}  // namespace

void HttpServerState::listen(base::FileDescriptor socket, const std::shared_ptr<Listener>& listener) {
  acceptors.push_back(std::make_unique<AcceptThread>(
      executor, std::move(socket), service.limits.max_connections,
      [this, listener](AcceptedConnection accepted) { start_connection(std::move(accepted), listener); },
      [listener](const asio::ip::address& address) { return listener && listener->is_trusted_proxy(address); }));
}

void HttpServerState::stop_listening() {
  for (const auto& path : std::exchange(socket_files, {})) ::unlink(path.c_str());
  acceptors.clear();
}

void HttpServerState::start_connection(AcceptedConnection accepted, const std::shared_ptr<Listener>& listener) {
  const Peer peer = accepted.peer;
  const bool is_from_proxy = listener && accepted.address && listener->is_trusted_proxy(*accepted.address);
  const int family = !accepted.address ? AF_UNIX : accepted.address->is_v4() ? AF_INET : AF_INET6;
  const auto socket = std::make_shared<StreamSocket>(executor);
  error_code code;
  socket->assign(asio::generic::stream_protocol(family, 0), accepted.socket.get(), code);
  if (code) {
    base::log::warning("a connection was closed", {{"error", code.message()}});
    return;
  }
  accepted.socket.release();
  error_code ignored;
  if (accepted.address) socket->set_option(tcp::no_delay(true), ignored);
  // Whoever may cancel the connection holds the signal; it lives until the connection's coroutine has ended.
  const auto signal = std::make_shared<asio::cancellation_signal>();
  auto place = connections.add(peer, {.close = [socket] { close(*socket); },
                                      .cancel = [signal] { signal->emit(asio::cancellation_type::terminal); }});
  if (!place) {
    // A handshake would cost more than the refusal is worth.
    if (!listener || !listener->tls) asio::co_spawn(executor, refuse_connection(executor, socket), asio::detached);
    return;
  }
  Connection connection{shared_from_this(), listener, socket, is_from_proxy, std::move(place)};
  asio::co_spawn(
      executor, serve(std::move(connection)),
      asio::bind_cancellation_slot(signal->slot(), [signal](const std::exception_ptr& failure) { log_end(failure); }));
}

HttpServer::HttpServer(asio::any_io_executor executor, HttpHandler handler, HttpServerLimits limits, HttpAdmit admit)
    : state_(std::make_shared<HttpServerState>(
          std::move(executor),
          HttpService{.handler = std::move(handler), .admit = std::move(admit), .limits = limits})) {}

HttpServer::~HttpServer() {
  state_->service.stopping = true;
  state_->stop_listening();
  state_->connections.close_all();
}

namespace {

bool a_server_answers(const std::filesystem::path& path) {
  asio::io_context context;
  local::socket socket(context);
  error_code code;
  socket.connect(local::endpoint(path.string()), code);
  return !code;
}

}  // namespace

void HttpServer::listen_unix(const std::filesystem::path& path, mode_t mode) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path) - 4)
    throw base::Error(path.string() + " is too long for a socket");
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) throw base::Error(path.string() + " is a folder");
    if (S_ISSOCK(status.st_mode) && a_server_answers(path))
      throw base::Error(path.string() + " is served by another process");
  }
  // Until the rename nobody can find the socket, so nobody connects to one that is not ready.
  const std::filesystem::path unfinished = path.string() + ".new";
  if (::unlink(unfinished.c_str()) != 0 && errno != ENOENT)
    throw base::SystemError("removing an old " + unfinished.string(), errno);
  local::acceptor acceptor(state_->executor);
  acceptor.open();
  error_code code;
  acceptor.bind(local::endpoint(unfinished.string()), code);
  if (code) throw base::SystemError("making the socket " + unfinished.string(), code.value());
  if (::chmod(unfinished.c_str(), mode) != 0)
    throw base::SystemError("setting the mode of " + unfinished.string(), errno);
  acceptor.listen();
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    throw base::SystemError("renaming a socket to " + path.string(), errno);
  state_->socket_files.push_back(path);
  state_->listen(base::FileDescriptor(acceptor.release()), nullptr);
}

namespace {

tcp::acceptor open_tcp(const asio::any_io_executor& executor, const std::string& address, std::uint16_t port) {
  error_code code;
  const auto ip = asio::ip::make_address(address, code);
  if (code) throw base::InvalidInput("listen address", address + " is not an IP address");
  tcp::acceptor acceptor(executor);
  const tcp::endpoint endpoint(ip, port);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(endpoint, code);
  if (code) throw base::Error("listening on " + address + ":" + std::to_string(port) + ": " + code.message());
  acceptor.listen();
  return acceptor;
}

ssl::context open_tls(const HttpServerTls& files) {
  ssl::context tls(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(tls.native_handle(), SSL_OP_NO_RENEGOTIATION);
  // A client that wants to resume its session brings a ticket. Otherwise each handshake would leave something behind.
  SSL_CTX_set_session_cache_mode(tls.native_handle(), SSL_SESS_CACHE_OFF);
  error_code code;
  tls.use_certificate_chain_file(files.certificate_chain.string(), code);
  if (code)
    throw base::InvalidInput(files.certificate_chain.string(), "no usable PEM certificate chain: " + code.message());
  tls.use_private_key_file(files.private_key.string(), ssl::context::pem, code);
  if (code) throw base::InvalidInput(files.private_key.string(), "no usable PEM private key: " + code.message());
  return tls;
}

}  // namespace

struct HttpServerCertificate::Context {
  std::shared_ptr<ssl::context> tls;
};

HttpServerCertificate HttpServerCertificate::load(const HttpServerTls& files) {
  return HttpServerCertificate(std::make_shared<Context>(Context{std::make_shared<ssl::context>(open_tls(files))}));
}

void HttpServer::use(const HttpServerCertificate& certificate) {
  for (const auto& listener : state_->tls_listeners) listener->tls = certificate.context_->tls;
}

std::uint16_t HttpServer::listen_tcp(const std::string& address, std::uint16_t port,
                                     const std::optional<HttpServerCertificate>& tls,
                                     std::vector<IpNetwork> trusted_proxies) {
  auto listener = std::make_shared<Listener>();
  if (tls) {
    listener->tls = tls->context_->tls;
    state_->tls_listeners.push_back(listener);
  }
  listener->trusted_proxies = std::move(trusted_proxies);
  tcp::acceptor acceptor = open_tcp(state_->executor, address, port);
  const std::uint16_t taken = acceptor.local_endpoint().port();
  state_->listen(base::FileDescriptor(acceptor.release()), listener);
  return taken;
}

void HttpServer::adopt_unix(int socket) {
  state_->start_connection({base::FileDescriptor(socket), peer_of_unix_socket(socket)}, nullptr);
}

base::Awaitable<void> HttpServer::stop(base::Milliseconds grace) {
  const auto state = state_;
  state->service.stopping = true;
  state->stop_listening();
  state->connections.close_idle();
  if (state->connections.empty()) co_return;
  state->all_closed.emplace(state->executor);
  state->connections.on_empty([raw = state.get()] { raw->all_closed->set(); });
  const auto timer = std::make_shared<base::Timer>(state->executor, grace);
  timer->async_wait([state, timer = std::weak_ptr(timer)](const error_code&) {
    const auto alive = timer.lock();
    if (alive && alive->expired()) state->connections.close_all();
  });
  co_await state->all_closed->wait();
}

std::size_t HttpServer::connection_count() const { return state_->connections.size(); }

}  // namespace net
