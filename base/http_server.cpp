#include "base/http_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <optional>

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
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/file.h"
#include "base/log.h"

namespace base {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using local = asio::local::stream_protocol;

using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = ssl::stream<PlainStream>;
using Parser = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;

/// How much of a refused request is read and thrown away, so that the client gets to see the answer.
constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10U;
constexpr Milliseconds kDrainTimeout{1000};
constexpr Milliseconds kAcceptPause{50};  // behind an accept that failed, such as with EMFILE

PlainStream& lowest(PlainStream& stream) { return stream; }
PlainStream& lowest(TlsStream& stream) { return stream.next_layer(); }

HttpResponse plain_text(unsigned status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

/// The one deadline of a connection, armed anew for each thing that it waits for. Past it the operation under way is
/// cancelled but, unlike with Beast's own timer, the socket stays open, so that a slow client can be told.
class Deadline {
 public:
  explicit Deadline(PlainStream& stream) : timer_(stream.get_executor()), shared_(std::make_shared<Shared>(&stream)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() { shared_->stream = nullptr; }

  void arm(Milliseconds duration) {
    shared_->passed = false;
    timer_.expires_after(duration);
    timer_.async_wait([shared = shared_](const error_code& cancelled) {
      if (cancelled || shared->stream == nullptr) return;
      shared->passed = true;
      shared->stream->cancel();
    });
  }
  bool passed() const noexcept { return shared_->passed; }

 private:
  struct Shared {
    explicit Shared(PlainStream* s) : stream(s) {}
    PlainStream* stream;  ///< null once the connection is gone
    bool passed = false;
  };
  asio::steady_timer timer_;
  std::shared_ptr<Shared> shared_;
};

HttpResponse refusal_for(const error_code& code) {
  if (code == http::error::header_limit) return plain_text(431, "request header is too long\n");
  if (code == http::error::body_limit) return plain_text(413, "request body is too long\n");
  if (code == beast::error::timeout) return plain_text(408, "request did not arrive in time\n");
  return plain_text(400, "malformed HTTP request: " + code.message() + "\n");
}

bool is_disconnect(const error_code& code) {
  return code == http::error::end_of_stream || code == asio::error::connection_reset ||
         code == asio::error::operation_aborted || code == asio::error::eof || code == asio::error::broken_pipe ||
         code == ssl::error::stream_truncated || code.category() == asio::error::get_ssl_category();
}

/// RFC 9112 section 3.2: a server takes the absolute form too.
HttpServerRequest to_server_request(Parser::value_type&& message) {
  HttpServerRequest request;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t path = target.find('/', scheme.size());
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    break;
  }
  const std::size_t question_mark = target.find('?');
  request.path = std::string(target.substr(0, question_mark));
  if (question_mark != std::string_view::npos) request.query = std::string(target.substr(question_mark + 1));
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  request.body = std::move(message.body());
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

}  // namespace

/// What the server knows of a connection, and can do to it.
struct OpenConnection {
  std::function<void()> close;
  std::function<void()> cancel;  ///< its handler too
  bool idle = false;
  bool closing = false;  ///< on its way out: no longer counted
};

struct HttpServer::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor e, HttpHandler h, HttpServerLimits l)
      : executor(std::move(e)), handler(std::move(h)), limits(l) {}

  using Connections = std::list<OpenConnection>;  // the one that became idle last stands at the end

  template <typename Acceptor>
  static Awaitable<void> accept_loop(std::shared_ptr<State> self, std::shared_ptr<Acceptor> acceptor,
                                     std::shared_ptr<ssl::context> tls) {
    for (;;) {
      error_code code;
      auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, code));
      if (self->stopping) co_return;
      if (code) {
        log::warning("accepting a connection failed", {{"error", code.message()}});
        co_await sleep_for(self->executor, kAcceptPause);
        continue;
      }
      if constexpr (std::is_same_v<Acceptor, tcp::acceptor>) socket.set_option(tcp::no_delay(true), code);
      self->start_connection(asio::generic::stream_protocol::socket(std::move(socket)), tls);
    }
  }

  void start_connection(asio::generic::stream_protocol::socket socket, const std::shared_ptr<ssl::context>& tls) {
    const bool refused = !make_room();
    // Whoever may cancel the connection holds the signal; it lives until the connection's coroutine has ended.
    const auto signal = std::make_shared<asio::cancellation_signal>();
    const auto start = [&](Awaitable<void> connection) {
      asio::co_spawn(executor, std::move(connection),
                     asio::bind_cancellation_slot(signal->slot(), [signal](const std::exception_ptr&) {}));
    };
    PlainStream plain(std::move(socket));
    if (tls) {
      start(serve(shared_from_this(), TlsStream(std::move(plain), *tls), signal, refused));
    } else {
      start(serve(shared_from_this(), std::move(plain), signal, refused));
    }
  }

  /// False when every connection is at work; otherwise there is room, if need be because the one that idled longest was
  /// told to close.
  bool make_room() {
    const auto open = std::ranges::count(connections, false, &OpenConnection::closing);
    if (static_cast<std::size_t>(open) < limits.max_connections) return true;
    const auto longest_idle = std::ranges::find_if(
        connections, [](const OpenConnection& connection) { return connection.idle && !connection.closing; });
    if (longest_idle == connections.end()) return false;
    longest_idle->closing = true;
    longest_idle->close();
    return true;
  }

  template <typename Stream>
  static Awaitable<void> serve(std::shared_ptr<State> self, Stream stream,
                               std::shared_ptr<asio::cancellation_signal> signal, bool refused) {
    const auto place = self->connections.insert(
        self->connections.end(), {.close = [&stream] { lowest(stream).close(); },
                                  .cancel = [signal] { signal->emit(asio::cancellation_type::terminal); },
                                  .idle = false,
                                  .closing = refused});
    // Whatever ends this coroutine, the server forgets the connection.
    const std::shared_ptr<void> forget(nullptr, [self, place](void*) {
      self->connections.erase(place);
      if (self->connections.empty() && self->all_closed) self->all_closed->set();
    });
    Deadline deadline(lowest(stream));
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      if (refused) co_return;  // a handshake would cost more than the refusal is worth
      deadline.arm(self->limits.request_timeout);
      error_code code;
      co_await stream.async_handshake(ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, code));
      if (code) co_return;
    }
    if (refused) {
      HttpResponse refusal = plain_text(503, "too many connections\n");
      co_await self->write(stream, deadline, std::move(refusal), false, false);
      co_return;
    }
    beast::flat_buffer buffer;
    while (co_await self->serve_one(stream, deadline, buffer, place)) {
    }
    error_code ignored;
    lowest(stream).socket().shutdown(asio::socket_base::shutdown_both, ignored);
  }

  /// Reads and answers one request. False: the connection is done.
  template <typename Stream>
  Awaitable<bool> serve_one(Stream& stream, Deadline& deadline, beast::flat_buffer& buffer,
                            Connections::iterator place) {
    error_code code;
    if (buffer.size() == 0) {
      mark_idle(place);
      if (stopping) co_return false;
      deadline.arm(limits.idle_timeout);
      const std::size_t got = co_await stream.async_read_some(buffer.prepare(limits.max_header_bytes),
                                                              asio::redirect_error(asio::use_awaitable, code));
      if (code) co_return false;
      buffer.commit(got);
    }
    place->idle = false;
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
    parser.body_limit(limits.max_body_bytes);
    deadline.arm(limits.request_timeout);
    co_await read_request(stream, buffer, parser, code);
    if (code) {
      if (deadline.passed()) code = beast::error::timeout;
      if (is_disconnect(code)) co_return false;
      HttpResponse refusal = refusal_for(code);
      co_await write(stream, deadline, std::move(refusal), false, false);
      co_await drain(stream, deadline);
      co_return false;
    }
    const bool keep_alive = parser.keep_alive() && !stopping;
    const bool without_body = parser.get().method() == http::verb::head;
    HttpServerRequest request = to_server_request(parser.release());
    HttpResponse response = co_await handle(std::move(request));  // bounds itself: nothing of ours is waiting
    co_return co_await write(stream, deadline, std::move(response), keep_alive, without_body);
  }

  template <typename Stream>
  Awaitable<void> read_request(Stream& stream, beast::flat_buffer& buffer, Parser& parser, error_code& code) const {
    const std::size_t header_bytes =
        co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
    // Beast's own limit only bounds what it keeps.
    if (!code && header_bytes > limits.max_header_bytes) code = http::error::header_limit;
    if (code || parser.is_done()) co_return;
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_on(http::status::continue_, 11);
      co_await http::async_write(stream, go_on, asio::redirect_error(asio::use_awaitable, code));
      if (code) co_return;
    }
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
  }

  Awaitable<HttpResponse> handle(HttpServerRequest request) {
    try {
      co_return co_await handler(request);
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      co_return broken(request, error.what());
    } catch (const std::exception& error) {
      co_return broken(request, error.what());
    }
  }

  static HttpResponse broken(const HttpServerRequest& request, const char* what) {
    log::error("request failed", {{"method", request.method}, {"path", request.path}, {"error", what}});
    return plain_text(500, std::string(what) + "\n");
  }

  template <typename Stream>
  Awaitable<bool> write(Stream& stream, Deadline& deadline, HttpResponse response, bool keep_alive, bool without_body) {
    Response message = to_beast(std::move(response), keep_alive);
    deadline.arm(limits.response_timeout);
    error_code code;
    if (without_body) {
      http::response_serializer<http::string_body> serializer(message);
      co_await http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, code));
    } else {
      co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, code));
    }
    co_return !code && keep_alive;
  }

  template <typename Stream>
  static Awaitable<void> drain(Stream& stream, Deadline& deadline) {
    error_code code;
    lowest(stream).socket().shutdown(asio::socket_base::shutdown_send, code);
    if (code) co_return;
    deadline.arm(kDrainTimeout);
    std::array<char, 4096> rubbish{};
    std::size_t total = 0;
    while (!code && total < kMaxDrainedBytes) {
      total += co_await lowest(stream).async_read_some(asio::buffer(rubbish),
                                                       asio::redirect_error(asio::use_awaitable, code));
    }
  }

  void mark_idle(Connections::iterator place) {
    place->idle = true;
    connections.splice(connections.end(), connections, place);
  }

  asio::any_io_executor executor;
  HttpHandler handler;
  HttpServerLimits limits;
  Connections connections;
  std::vector<std::function<void()>> close_listeners;
  std::optional<Event> all_closed;
  bool stopping = false;
};

HttpServer::HttpServer(asio::any_io_executor executor, HttpHandler handler, HttpServerLimits limits)
    : state_(std::make_shared<State>(std::move(executor), std::move(handler), limits)) {}

HttpServer::~HttpServer() {
  state_->stopping = true;
  for (const auto& close : state_->close_listeners) close();
  for (OpenConnection& connection : state_->connections) connection.close();
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
    throw Error(path.string() + " is too long for a socket");
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) throw Error(path.string() + " is a folder");
    if (S_ISSOCK(status.st_mode) && a_server_answers(path))
      throw Error(path.string() + " is served by another process");
  }
  // Until the rename nobody can find the socket, so nobody connects to one that is not ready.
  const std::filesystem::path unfinished = path.string() + ".new";
  ::unlink(unfinished.c_str());
  auto acceptor = std::make_shared<local::acceptor>(state_->executor);
  acceptor->open();
  acceptor->bind(local::endpoint(unfinished.string()));
  if (::chmod(unfinished.c_str(), mode) != 0) throw SystemError("setting the mode of " + unfinished.string(), errno);
  acceptor->listen();
  if (::rename(unfinished.c_str(), path.c_str()) != 0)
    throw SystemError("renaming a socket to " + path.string(), errno);
  state_->close_listeners.emplace_back([acceptor, path] {
    if (!acceptor->is_open()) return;
    ::unlink(path.c_str());
    acceptor->close();
  });
  asio::co_spawn(state_->executor, State::accept_loop(state_, acceptor, nullptr), asio::detached);
}

namespace {

std::shared_ptr<tcp::acceptor> open_tcp(const asio::any_io_executor& executor, const std::string& address,
                                        std::uint16_t port) {
  error_code code;
  const auto ip = asio::ip::make_address(address, code);
  if (code) throw InvalidInput("listen address", address + " is not an IP address");
  auto acceptor = std::make_shared<tcp::acceptor>(executor);
  const tcp::endpoint endpoint(ip, port);
  acceptor->open(endpoint.protocol());
  acceptor->set_option(tcp::acceptor::reuse_address(true));
  acceptor->bind(endpoint, code);
  if (code) throw Error("listening on " + address + ":" + std::to_string(port) + ": " + code.message());
  acceptor->listen();
  return acceptor;
}

}  // namespace

std::uint16_t HttpServer::listen_tcp(const std::string& address, std::uint16_t port) {
  auto acceptor = open_tcp(state_->executor, address, port);
  state_->close_listeners.emplace_back([acceptor] { acceptor->close(); });
  asio::co_spawn(state_->executor, State::accept_loop(state_, acceptor, nullptr), asio::detached);
  return acceptor->local_endpoint().port();
}

std::uint16_t HttpServer::listen_tls(const std::string& address, std::uint16_t port,
                                     const std::filesystem::path& certificate_chain,
                                     const std::filesystem::path& private_key) {
  auto tls = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  error_code code;
  tls->use_certificate_chain_file(certificate_chain.string(), code);
  if (code) throw InvalidInput(certificate_chain.string(), "no usable PEM certificate chain: " + code.message());
  tls->use_private_key_file(private_key.string(), ssl::context::pem, code);
  if (code) throw InvalidInput(private_key.string(), "no usable PEM private key: " + code.message());
  auto acceptor = open_tcp(state_->executor, address, port);
  state_->close_listeners.emplace_back([acceptor] { acceptor->close(); });
  asio::co_spawn(state_->executor, State::accept_loop(state_, acceptor, tls), asio::detached);
  return acceptor->local_endpoint().port();
}

void HttpServer::adopt_unix(int socket) {
  state_->start_connection(local::socket(state_->executor, local(), socket), nullptr);
}

Awaitable<void> HttpServer::stop(Milliseconds grace) {
  const auto state = state_;
  state->stopping = true;
  for (const auto& close : state->close_listeners) close();
  for (OpenConnection& connection : state->connections) {
    if (connection.idle) connection.close();
  }
  if (state->connections.empty()) co_return;
  state->all_closed.emplace(state->executor);
  asio::steady_timer timer(state->executor, grace);
  timer.async_wait([state](const error_code& cancelled) {
    if (cancelled) return;
    for (OpenConnection& connection : state->connections) {
      connection.close();
      connection.cancel();
    }
  });
  co_await state->all_closed->wait();
}

std::size_t HttpServer::connection_count() const { return state_->connections.size(); }

}  // namespace base
