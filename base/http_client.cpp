#include "base/http_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <sys/socket.h>
#include <variant>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/openssl.h"

namespace base {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

constexpr std::size_t kMaxIdlePerOrigin = 8;
constexpr std::uint32_t kMaxHeaderBytes = 64U << 10U;
constexpr std::size_t kStreamChunk = std::size_t{256} << 10U;
constexpr std::size_t kMaxRefusalBytes = std::size_t{64} << 10U;
constexpr auto kUserAgent = "cs-launcher";

std::string environment(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr || *value == '\0') value = std::getenv(upper);
  return value == nullptr ? "" : value;
}

bool bypasses_proxy(const HttpUrl& url) {
  if (url.is_loopback()) return true;
  const std::string list = environment("no_proxy", "NO_PROXY");
  std::size_t begin = 0;
  while (begin < list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string_view entry = std::string_view(list).substr(begin, end - begin);
    begin = end + 1;
    while (!entry.empty() && (entry.front() == ' ' || entry.front() == '.')) entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (entry == "*" || entry == url.host) return true;
    if (!entry.empty() && url.host.ends_with("." + std::string(entry))) return true;
  }
  return false;
}

std::optional<HttpUrl> proxy_for(const HttpUrl& url) {
  if (bypasses_proxy(url)) return std::nullopt;
  const std::string proxy =
      url.tls ? environment("https_proxy", "HTTPS_PROXY") : environment("http_proxy", "HTTP_PROXY");
  if (proxy.empty()) return std::nullopt;
  return HttpUrl::parse(proxy, url.tls ? "HTTPS_PROXY" : "HTTP_PROXY");
}

bool is_tls_error(const error_code& code) {
  return code.category() == asio::error::get_ssl_category() || code.category() == ssl::error::get_stream_category();
}

/// Whether the peer hung up. Before the first byte of an answer that is what a forwarder does whose service is away.
bool is_hang_up(const error_code& code) {
  return code == http::error::end_of_stream || code == asio::error::eof || code == asio::error::connection_reset ||
         code == ssl::error::stream_truncated;
}

HttpError to_http_error(const HttpUrl& url, const error_code& code) {
  const std::string subject = url.origin();
  if (is_hang_up(code)) return {HttpError::Kind::kConnect, subject + " hung up before it had answered"};
  if (code == beast::error::timeout) return {HttpError::Kind::kTimeout, subject + " did not answer in time"};
  if (code == http::error::body_limit || code == http::error::header_limit) {
    return {HttpError::Kind::kTooLarge, subject + " sent more than is accepted"};
  }
  if (is_tls_error(code)) return {HttpError::Kind::kTls, "TLS with " + subject + ": " + code.message()};
  return {HttpError::Kind::kProtocol, subject + " gave no valid answer: " + code.message()};
}

/// The connection had been kept alive and the peer closed it before it saw the request: not a failure of the request.
class StaleConnection : public std::exception {};

}  // namespace

class HttpClient::Connection {
 public:
  using PlainStream = beast::tcp_stream;
  using TlsStream = ssl::stream<beast::tcp_stream>;

  Connection(asio::any_io_executor executor, ssl::context& tls, const HttpUrl& url) : proxy_(proxy_for(url)) {
    if (url.tls) {
      stream_.emplace<TlsStream>(beast::tcp_stream(executor), tls);
    } else {
      stream_.emplace<PlainStream>(executor);
    }
  }

  void expires_after(Milliseconds timeout) { lowest().expires_after(timeout); }
  void expires_at(std::chrono::steady_clock::time_point when) { lowest().expires_at(when); }

  Awaitable<void> connect(const HttpUrl& url, Milliseconds timeout) {
    const HttpUrl& peer = proxy_ ? *proxy_ : url;
    const auto endpoints = co_await resolve(peer, timeout);
    error_code code;
    co_await lowest().async_connect(endpoints, asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code == beast::error::timeout) throw to_http_error(peer, code);
    if (code) throw HttpError(HttpError::Kind::kConnect, "connecting to " + peer.origin() + ": " + code.message());
    lowest().socket().set_option(tcp::no_delay(true), code);
    if (auto* tls = std::get_if<TlsStream>(&stream_)) {
      if (proxy_) co_await open_tunnel(url);
      co_await handshake(*tls, url);
    }
  }

  template <typename Function>
  auto visit(Function function) {
    if (auto* tls = std::get_if<TlsStream>(&stream_)) return function(*tls);
    return function(std::get<PlainStream>(stream_));
  }

  /// Open, and with nothing to read: a peer that has closed it, or sends what nobody asked for, is not talked to again.
  bool is_quiet() {
    if (buffer.size() != 0) return false;
    char byte = 0;
    const ssize_t got = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  bool uses_absolute_form(const HttpUrl& url) const { return proxy_.has_value() && !url.tls; }

  beast::flat_buffer buffer;
  bool used_before = false;

 private:
  beast::tcp_stream& lowest() {
    if (auto* tls = std::get_if<TlsStream>(&stream_)) return tls->next_layer();
    return std::get<PlainStream>(stream_);
  }

  Awaitable<tcp::resolver::results_type> resolve(const HttpUrl& peer, Milliseconds timeout) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    asio::steady_timer timer(executor, timeout);
    error_code code;
    error_code timer_code;
    auto result =
        co_await (resolver.async_resolve(peer.host, peer.port, asio::redirect_error(asio::use_awaitable, code)) ||
                  timer.async_wait(asio::redirect_error(asio::use_awaitable, timer_code)));
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
      throw system_error(asio::error::operation_aborted);
    }
    if (result.index() == 1) {
      throw HttpError(HttpError::Kind::kTimeout, "looking up " + peer.host + " took too long");
    }
    if (code) throw HttpError(HttpError::Kind::kConnect, "looking up " + peer.host + ": " + code.message());
    co_return std::get<0>(std::move(result));
  }

  /// RFC 9110 section 9.3.6.
  Awaitable<void> open_tunnel(const HttpUrl& url) {
    const std::string target = url.host_in_brackets() + ":" + url.port;
    http::request<http::empty_body> request(http::verb::connect, target, 11);
    request.set(http::field::host, target);
    error_code code;
    co_await http::async_write(lowest(), request, asio::redirect_error(asio::use_awaitable, code));
    http::response_parser<http::empty_body> parser;
    parser.skip(true);
    if (!code) {
      co_await http::async_read_header(lowest(), buffer, parser, asio::redirect_error(asio::use_awaitable, code));
    }
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code) throw to_http_error(*proxy_, code);
    if (parser.get().result_int() != 200) {
      throw HttpError(HttpError::Kind::kConnect, "proxy " + proxy_->origin() + " refused a tunnel with status " +
                                                     std::to_string(parser.get().result_int()));
    }
  }

  static Awaitable<void> handshake(TlsStream& stream, const HttpUrl& url) {
    error_code not_an_address;
    asio::ip::make_address(url.host, not_an_address);
    if (not_an_address) {  // RFC 6066 section 3: SNI carries names only
      std::string name = url.host;
      SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
    stream.set_verify_callback(ssl::host_name_verification(url.host));
    error_code code;
    co_await stream.async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code == beast::error::timeout) throw to_http_error(url, code);
    if (!code) co_return;
    if (is_hang_up(code)) throw to_http_error(url, code);
    const long verdict = SSL_get_verify_result(stream.native_handle());
    const std::string reason = verdict == X509_V_OK ? code.message() : X509_verify_cert_error_string(verdict);
    throw HttpError(HttpError::Kind::kTls, "TLS with " + url.origin() + ": " + reason);
  }

  std::optional<HttpUrl> proxy_;
  std::variant<std::monostate, PlainStream, TlsStream> stream_;
};

namespace {

using X509StorePtr = std::unique_ptr<X509_STORE, OpensslDeleter<X509_STORE_free>>;

/// Shared by all clients and read when the first TLS peer of the web is met: there are so many that parsing them would
/// be the dearest step of a launch.
X509_STORE* system_roots() {
  static const X509StorePtr roots = [] {
    X509StorePtr store(X509_STORE_new());
    X509_STORE_set_default_paths(store.get());
    return store;
  }();
  return roots.get();
}

}  // namespace

struct HttpClient::State {
  explicit State(asio::any_io_executor e) : executor(std::move(e)), tls(ssl::context::tls_client) {}

  using ConnectionPtr = std::unique_ptr<Connection>;

  ConnectionPtr new_connection(const HttpUrl& url) {
    if (url.tls && trusts_system) SSL_CTX_set1_cert_store(tls.native_handle(), system_roots());
    return std::make_unique<Connection>(executor, tls, url);
  }

  ConnectionPtr take_idle(const std::string& origin) {
    auto& idle = idle_by_origin[origin];
    while (!idle.empty()) {
      ConnectionPtr connection = std::move(idle.back());
      idle.pop_back();
      if (connection->is_quiet()) return connection;
    }
    return nullptr;
  }

  void keep(const std::string& origin, ConnectionPtr connection) {
    auto& idle = idle_by_origin[origin];
    connection->used_before = true;
    if (idle.size() < kMaxIdlePerOrigin) idle.push_back(std::move(connection));
  }

  asio::any_io_executor executor;
  ssl::context tls;
  bool trusts_system = false;
  std::map<std::string, std::vector<ConnectionPtr>> idle_by_origin;
};

namespace {

using Request = http::request<http::string_body>;

Request to_beast(const HttpRequest& request, const HttpUrl& url, bool absolute_form) {
  Request message;
  message.method_string(request.method);
  message.version(11);
  message.target(absolute_form ? "http://" + url.authority() + url.target : url.target);
  message.set(http::field::host, url.authority());
  message.set(http::field::user_agent, kUserAgent);
  for (const HttpHeader& header : request.headers) message.set(header.name, header.value);
  message.body() = request.body;
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") message.prepare_payload();
  return message;
}

template <typename Fields>
std::vector<HttpHeader> headers_of(const Fields& fields) {
  std::vector<HttpHeader> headers;
  for (const auto& field : fields) headers.push_back({std::string(field.name_string()), std::string(field.value())});
  return headers;
}

template <typename Stream>
Awaitable<void> write_request(Stream& stream, const Request& request, const HttpUrl& url, bool reused) {
  error_code code;
  co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, code));
  if (!code) co_return;
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (reused && code != beast::error::timeout) throw StaleConnection();
  throw to_http_error(url, code);
}

template <typename Stream, typename Parser>
Awaitable<void> read_header(Stream& stream, beast::flat_buffer& buffer, Parser& parser, const HttpUrl& url,
                            bool reused) {
  parser.header_limit(kMaxHeaderBytes);
  error_code code;
  do {
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
  } while (!code && parser.get().result_int() == 100);
  if (!code) co_return;
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (reused && !parser.got_some() && code != beast::error::timeout) throw StaleConnection();
  throw to_http_error(url, code);
}

template <typename Stream>
Awaitable<HttpResponse> exchange(Stream& stream, beast::flat_buffer& buffer, const Request& request, const HttpUrl& url,
                                 HttpLimits limits, bool reused, bool& keep_alive) {
  co_await write_request(stream, request, url, reused);
  http::response_parser<http::string_body> parser;
  parser.body_limit(limits.max_body_bytes);
  if (request.method() == http::verb::head) parser.skip(true);
  co_await read_header(stream, buffer, parser, url, reused);
  error_code code;
  co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (code) throw to_http_error(url, code);
  keep_alive = parser.keep_alive();
  auto message = parser.release();
  co_return HttpResponse{message.result_int(), headers_of(message), std::move(message.body())};
}

}  // namespace

HttpClient::HttpClient(asio::any_io_executor executor, const std::optional<std::filesystem::path>& ca_file)
    : state_(std::make_unique<State>(std::move(executor))) {
  SSL_CTX_set_min_proto_version(state_->tls.native_handle(), TLS1_2_VERSION);
  state_->tls.set_verify_mode(ssl::verify_peer);
  if (!ca_file) {
    state_->trusts_system = true;
    return;
  }
  error_code code;
  state_->tls.load_verify_file(ca_file->string(), code);
  if (code) throw InvalidInput(ca_file->string(), "no usable PEM certificates: " + code.message());
}

HttpClient::~HttpClient() = default;

Awaitable<HttpResponse> HttpClient::send(HttpRequest request, HttpLimits limits) {
  const HttpUrl url = HttpUrl::parse(request.url, "URL");
  const auto deadline = std::chrono::steady_clock::now() + limits.timeout;
  for (;;) {
    auto connection = state_->take_idle(url.origin());
    if (!connection) connection = state_->new_connection(url);
    connection->expires_at(deadline);
    if (!connection->used_before) co_await connection->connect(url, limits.timeout);
    const Request message = to_beast(request, url, connection->uses_absolute_form(url));
    bool keep_alive = false;
    try {
      HttpResponse response = co_await connection->visit([&](auto& stream) {
        return exchange(stream, connection->buffer, message, url, limits, connection->used_before, keep_alive);
      });
      if (keep_alive) state_->keep(url.origin(), std::move(connection));
      co_return response;
    } catch (const StaleConnection&) {
      // There are finitely many idle connections, and a new one is never stale. What may not be done twice is the
      // caller's to send again: the server may have seen it.
      if (request.method != "GET" && request.method != "HEAD") {
        throw HttpError(HttpError::Kind::kProtocol, url.origin() + " closed the connection without an answer");
      }
    }
  }
}

namespace {

template <typename Stream>
Awaitable<HttpResponse> exchange_streaming(Stream& stream, beast::flat_buffer& buffer, const Request& request,
                                           const HttpUrl& url, HttpLimits limits, bool reused, bool& keep_alive,
                                           std::function<void(std::size_t)> extend_deadline, HttpClient::Sink sink) {
  co_await write_request(stream, request, url, reused);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(limits.max_body_bytes);
  co_await read_header(stream, buffer, parser, url, reused);
  HttpResponse response{parser.get().result_int(), headers_of(parser.get().base()), {}};
  const bool wanted = response.status == 200 || response.status == 206;
  std::vector<std::uint8_t> chunk(kStreamChunk);
  std::size_t received = 0;
  while (!parser.is_done()) {
    parser.get().body().data = chunk.data();
    parser.get().body().size = chunk.size();
    parser.get().body().more = true;
    error_code code;
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code && code != http::error::need_buffer) throw to_http_error(url, code);
    const std::size_t got = chunk.size() - parser.get().body().size;
    received += got;
    if (wanted) {
      co_await sink(ByteView(chunk.data(), got));
    } else if (response.body.size() + got <= kMaxRefusalBytes) {
      response.body.append(text_of(ByteView(chunk.data(), got)));
    } else {
      throw HttpError(HttpError::Kind::kTooLarge, url.origin() + " sent more than is accepted");
    }
    extend_deadline(received);
  }
  keep_alive = parser.keep_alive();
  co_return response;
}

}  // namespace

Awaitable<HttpResponse> HttpClient::stream(HttpRequest request, HttpLimits limits, Sink sink) {
  const HttpUrl url = HttpUrl::parse(request.url, "URL");
  const auto start = std::chrono::steady_clock::now() + limits.timeout;
  for (;;) {
    auto connection = state_->take_idle(url.origin());
    if (!connection) connection = state_->new_connection(url);
    Connection& in_use = *connection;
    const auto extend_deadline = [&in_use, start, limits](std::size_t received) {
      in_use.expires_at(start + std::chrono::seconds(received / limits.min_bytes_per_second));
    };
    extend_deadline(0);
    if (!connection->used_before) co_await connection->connect(url, limits.timeout);
    const Request message = to_beast(request, url, connection->uses_absolute_form(url));
    bool keep_alive = false;
    try {
      HttpResponse response = co_await connection->visit([&](auto& stream) {
        return exchange_streaming(stream, in_use.buffer, message, url, limits, in_use.used_before, keep_alive,
                                  extend_deadline, sink);
      });
      if (keep_alive) state_->keep(url.origin(), std::move(connection));
      co_return response;
    } catch (const StaleConnection&) {
      continue;  // streams are GETs
    }
  }
}

}  // namespace base
