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
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "net/accept_thread.h"
#include "net/connection_table.h"
#include "net/http_reader.h"
#include "net/proxy_protocol.h"
#include "net/request_target.h"

namespace net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using local = asio::local::stream_protocol;
using Socket = asio::generic::stream_protocol::socket;
using TlsStream = ssl::stream<Socket&>;
using Response = http::response<http::string_body>;

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
/// A body's memory is taken in steps of at least this much, and of its own size when that is more.
constexpr std::size_t kBodyStep = std::size_t{16} << 10U;
/// How much of a refused request is read and thrown away, so that the client gets to see the answer.
constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10U;
constexpr base::Milliseconds kDrainTimeout{1000};

Socket& lowest(Socket& stream) { return stream; }
Socket& lowest(TlsStream& stream) { return stream.next_layer(); }

HttpResponse plain_text(unsigned status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

HttpResponse out_of_memory() {
  HttpResponse response = plain_text(503, "too many requests at a time\n");
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

HttpResponse refusal_for(const error_code& code) {
  if (code == http::error::header_limit) return plain_text(431, "request header is too long or has too many fields\n");
  if (code == http::error::body_limit) return plain_text(413, "request body is too long\n");
  if (code == beast::error::timeout) return plain_text(408, "request did not arrive in time\n");
  return plain_text(400, "malformed HTTP request: " + code.message() + "\n");
}

bool is_disconnect(const error_code& code) {
  return code == http::error::end_of_stream || code == asio::error::connection_reset ||
         code == asio::error::operation_aborted || code == asio::error::eof || code == asio::error::broken_pipe ||
         code == asio::error::bad_descriptor || code == ssl::error::stream_truncated ||
         code.category() == asio::error::get_ssl_category();
}

/// RFC 9112 section 3.2: one Host, and in HTTP/1.1 not none.
template <typename Message>
bool has_valid_host(const Message& message) {
  const auto count = message.count(http::field::host);
  if (count == 0) return message.version() < 11;
  return count == 1 && is_authority(message[http::field::host]);
}

/// Nothing when target or Host could be read in more than one way.
template <typename Message>
std::optional<HttpServerRequest> to_server_request(const Message& message) {
  auto target = RequestTarget::parse(message.target());
  if (!target || !has_valid_host(message)) return std::nullopt;
  HttpServerRequest request;
  request.method = std::string(message.method_string());
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return request;
}

Response to_beast(HttpResponse&& response, bool keep_alive) {
  Response message;
  message.version(11);
  message.result(response.status);
  for (const HttpHeader& header : response.headers) message.set(header.name, header.value);
  message.keep_alive(keep_alive);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

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
  HttpServerState(asio::any_io_executor e, HttpHandler h, HttpServerLimits l, HttpAdmit a)
      : executor(std::move(e)),
        handler(std::move(h)),
        admit(std::move(a)),
        limits(l),
        connections({.max_connections = l.max_connections, .max_bytes = l.max_buffered_bytes}) {}

  HttpAdmission admission_of(const HttpServerRequest& head) const {
    HttpAdmission admission{.max_body_bytes = limits.max_body_bytes};
    if (admit) admission = admit(head);
    admission.max_body_bytes = std::min(admission.max_body_bytes, limits.max_body_bytes);
    return admission;
  }

  void listen(base::FileDescriptor socket, const std::shared_ptr<Listener>& listener);
  void stop_listening();
  void start_connection(AcceptedConnection accepted, const std::shared_ptr<Listener>& listener);

  asio::any_io_executor executor;
  HttpHandler handler;
  HttpAdmit admit;
  HttpServerLimits limits;
  ConnectionTable connections;
  std::vector<std::unique_ptr<AcceptThread>> acceptors;
  std::vector<std::shared_ptr<Listener>> tls_listeners;
  std::vector<std::filesystem::path> socket_files;
  std::optional<base::Event> all_closed;
  bool stopping = false;
};

namespace {

/// One connection's requests, one after the other.
template <typename Stream>
class Conversation {
 public:
  Conversation(std::shared_ptr<HttpServerState> server, Stream& stream, Deadline& deadline,
               ConnectionTable::Place& place)
      : server_(std::move(server)), stream_(stream), deadline_(deadline), place_(place) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  base::Awaitable<void> run() {
    for (bool goes_on = true; goes_on;) goes_on = co_await serve_one();
  }

 private:
  using Reader = HttpReader<Stream, true>;

  /// Reads and answers one request. False: the connection is done.
  base::Awaitable<bool> serve_one() {
    error_code code;
    if (buffer_.size() == 0) {
      co_await wait_for_first_byte(code);
      if (code) co_return false;
    }
    place_.set_state(ConnectionTable::State::kReading);
    deadline_.arm(server_->limits.request_timeout);
    Reader reader(stream_, buffer_, deadline_,
                  {.max_header_bytes = server_->limits.max_header_bytes,
                   .max_fields = server_->limits.max_fields,
                   .read_bytes = kReadBytes});
    code = co_await reader.read_head();
    if (code) co_return co_await refuse(code);
    const TransferCoding coding = transfer_coding_of(reader.parser().get(), reader.parser().chunked());
    if (coding == TransferCoding::kUnending) {
      HttpResponse refusal = plain_text(400, "malformed HTTP request: the body's end is not marked\n");
      co_return co_await refuse(std::move(refusal));
    }
    if (coding == TransferCoding::kUnsupported) {
      HttpResponse refusal = plain_text(501, "a transfer coding other than chunked is not supported\n");
      co_return co_await refuse(std::move(refusal));
    }
    // Fields of the head only: what a trailer says came too late to be admitted.
    std::optional<HttpServerRequest> head = to_server_request(reader.parser().get());
    reader.drop_fields();
    if (!head) {
      HttpResponse refusal = plain_text(400, "malformed HTTP request: target or Host\n");
      co_return co_await refuse(std::move(refusal));
    }
    HttpServerRequest request = std::move(*head);
    HttpAdmission admission = server_->admission_of(request);
    if (admission.answer) {
      if (!reader.is_done()) co_return co_await refuse(std::move(*admission.answer));
      co_return co_await answer(reader, request, std::move(*admission.answer));
    }
    if (!reader.is_done()) {
      code = reader.limit_body(admission.max_body_bytes);
      if (!code && reader.parser().get().version() >= 11) co_await go_on(request, code);
      if (code) co_return co_await refuse(code);
      const bool has_room = co_await read_body(reader, request.body, code);
      if (code) co_return co_await refuse(code);
      if (!has_room) {
        HttpResponse refusal = out_of_memory();
        co_return co_await refuse(std::move(refusal));
      }
    }
    place_.set_state(ConnectionTable::State::kAnswering);
    deadline_.disarm();  // the handler bounds itself
    HttpResponse response = co_await handle(request);
    std::string().swap(request.body);
    co_return co_await answer(reader, request, std::move(response));
  }

  base::Awaitable<void> wait_for_first_byte(error_code& code) {
    if (served_any_) {
      place_.set_state(ConnectionTable::State::kIdle);
      if (server_->stopping) code = asio::error::operation_aborted;
    }
    if (code) co_return;
    deadline_.arm(server_->limits.idle_timeout);
    const std::size_t got =
        co_await stream_.async_read_some(buffer_.prepare(kReadBytes), asio::redirect_error(asio::use_awaitable, code));
    buffer_.commit(got);
  }

  /// RFC 9110 section 10.1.1: a client of HTTP/1.1 may wait for this before it sends the body.
  base::Awaitable<void> go_on(const HttpServerRequest& request, error_code& code) {
    if (!beast::iequals(request.header("Expect"), "100-continue")) co_return;
    const http::response<http::empty_body> interim(http::status::continue_, 11);
    co_await http::async_write(stream_, interim, asio::redirect_error(asio::use_awaitable, code));
  }

  /// False when there is no memory for the body. What came of one that fails is not kept.
  base::Awaitable<bool> read_body(Reader& reader, std::string& whole, error_code& code) {
    std::string body;
    std::size_t room = 0;
    for (;;) {
      base::ByteView piece;
      code = co_await reader.read_piece(piece);
      if (code) co_return true;
      if (piece.empty()) break;
      if (body.size() + piece.size() > room) {
        room = std::max(body.size() + piece.size(), body.size() + std::max(kBodyStep, body.size()));
        if (!place_.hold(room)) co_return false;
        body.reserve(room);
      }
      body.append(base::text_of(piece));
    }
    whole = std::move(body);
    co_return true;
  }

  base::Awaitable<HttpResponse> handle(HttpServerRequest& request) {
    try {
      co_return co_await server_->handler(request);
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      co_return broken(request, error.what());
    } catch (const std::exception& error) {
      co_return broken(request, error.what());
    }
  }

  static HttpResponse broken(const HttpServerRequest& request, const char* what) {
    base::log::error("request failed", {{"method", request.method}, {"path", request.path}, {"error", what}});
    return plain_text(500, std::string(what) + "\n");
  }

  base::Awaitable<bool> answer(Reader& reader, const HttpServerRequest& request, HttpResponse response) {
    served_any_ = true;
    const bool keep_alive = reader.parser().keep_alive() && !server_->stopping;
    const bool without_body = request.method == "HEAD";
    co_return co_await write(std::move(response), keep_alive, without_body);
  }

  base::Awaitable<bool> refuse(error_code code) {
    if (is_disconnect(code)) co_return false;
    HttpResponse refusal = refusal_for(code);
    co_return co_await refuse(std::move(refusal));
  }

  /// For a request of which something is left unread: nothing can follow it.
  base::Awaitable<bool> refuse(HttpResponse refusal) {
    co_await write(std::move(refusal), false, false);
    co_await drain();
    co_return false;
  }

  base::Awaitable<bool> write(HttpResponse response, bool keep_alive, bool without_body) {
    place_.set_state(ConnectionTable::State::kWriting);
    if (!place_.hold(response.body.size())) {
      keep_alive = false;
      response = out_of_memory();
    }
    Response message = to_beast(std::move(response), keep_alive);
    deadline_.arm(server_->limits.response_timeout);
    error_code code;
    if (without_body) {
      http::response_serializer<http::string_body> serializer(message);
      co_await http::async_write_header(stream_, serializer, asio::redirect_error(asio::use_awaitable, code));
    } else {
      co_await http::async_write(stream_, message, asio::redirect_error(asio::use_awaitable, code));
    }
    place_.hold(0);
    co_return !code && keep_alive;
  }

  base::Awaitable<void> drain() {
    error_code code;
    lowest(stream_).shutdown(asio::socket_base::shutdown_send, code);
    deadline_.arm(kDrainTimeout);
    std::array<char, 4096> rubbish{};
    for (std::size_t total = 0; !code && total < kMaxDrainedBytes && !deadline_.passed();) {
      const auto room = asio::buffer(rubbish, kMaxDrainedBytes - total);
      total += co_await lowest(stream_).async_read_some(room, asio::redirect_error(asio::use_awaitable, code));
    }
  }

  std::shared_ptr<HttpServerState> server_;
  Stream& stream_;
  Deadline& deadline_;
  ConnectionTable::Place& place_;
  beast::flat_buffer buffer_;
  bool served_any_ = false;
};

/// Reads the header of a trusted proxy. False when there is none that is valid.
base::Awaitable<bool> read_proxy_header(Socket& socket, ConnectionTable::Place& place) {
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

void cancel(Socket& socket) {
  error_code ignored;
  socket.cancel(ignored);
}

void close(Socket& socket) {
  error_code ignored;
  socket.close(ignored);
}

/// An accepted connection. The members go in the opposite order: the place before the server whose table it is in.
struct Connection {
  std::shared_ptr<HttpServerState> server;
  std::shared_ptr<Listener> listener;  ///< none when the socket was adopted, or is a Unix socket
  std::shared_ptr<Socket> socket;
  bool is_from_proxy;
  std::unique_ptr<ConnectionTable::Place> place;
};

/// From the connection's first byte to its end. It costs little more than its socket until it has said something.
base::Awaitable<void> serve(Connection connection) {
  Socket& socket = *connection.socket;
  ConnectionTable::Place& place = *connection.place;
  const HttpServerLimits& limits = connection.server->limits;
  Deadline deadline(
      connection.server->executor, [&socket] { cancel(socket); }, [&socket] { close(socket); });
  deadline.arm(limits.idle_timeout);
  error_code code;
  co_await socket.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, code));
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
    Conversation<TlsStream> conversation(connection.server, stream, deadline, place);
    co_await conversation.run();
  } else {
    Conversation<Socket> conversation(connection.server, socket, deadline, place);
    co_await conversation.run();
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

base::Awaitable<void> refuse_connection(asio::any_io_executor executor, std::shared_ptr<Socket> socket) {
  Deadline deadline(
      executor, [socket] { cancel(*socket); }, [socket] { close(*socket); });
  deadline.arm(kDrainTimeout);
  const Response message = to_beast(plain_text(503, "too many connections\n"), false);
  error_code code;
  co_await http::async_write(*socket, message, asio::redirect_error(asio::use_awaitable, code));
  socket->shutdown(asio::socket_base::shutdown_both, code);
}

}  // namespace

void HttpServerState::listen(base::FileDescriptor socket, const std::shared_ptr<Listener>& listener) {
  acceptors.push_back(std::make_unique<AcceptThread>(
      executor, std::move(socket), limits.max_connections,
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
  const auto socket = std::make_shared<Socket>(executor);
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
    : state_(std::make_shared<HttpServerState>(std::move(executor), std::move(handler), limits, std::move(admit))) {}

HttpServer::~HttpServer() {
  state_->stopping = true;
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
  ::unlink(unfinished.c_str());
  local::acceptor acceptor(state_->executor);
  acceptor.open();
  acceptor.bind(local::endpoint(unfinished.string()));
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
  state->stopping = true;
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
