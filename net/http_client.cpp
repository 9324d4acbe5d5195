#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/log.h"
#include "base/openssl.h"
#include "net/connect.h"
#include "net/http_reader.h"
#include "net/name_lookup.h"
#include "net/proxy_environment.h"

namespace net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;
using Socket = asio::generic::stream_protocol::socket;
using TlsClientStream = ssl::stream<Socket&>;
using Request = http::request<http::span_body<const char>>;
using base::TimePoint;

/// Taken from a connection at a time.
constexpr std::size_t kAnswerReadBytes = std::size_t{16} << 10U;
constexpr std::size_t kStreamReadBytes = std::size_t{256} << 10U;
/// The status of a refusal counts more than what it says: that is cut off, if need be.
constexpr unsigned kFirstRefusal = 400;
constexpr std::size_t kMaxRefusalBytes = std::size_t{64} << 10U;
constexpr auto kUserAgent = "cs-launcher";

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
  if (code == http::error::partial_message) {
    return {HttpError::Kind::kBroken, subject + " hung up in the middle of its answer"};
  }
  if (code == beast::error::timeout) return {HttpError::Kind::kTimeout, subject + " did not answer in time"};
  if (code == http::error::body_limit || code == http::error::header_limit) {
    return {HttpError::Kind::kTooLarge, subject + " sent more than is accepted"};
  }
  if (is_tls_error(code)) return {HttpError::Kind::kTls, "TLS with " + subject + ": " + code.message()};
  if (code.category() == boost::system::system_category()) {
    return {HttpError::Kind::kBroken, "the connection with " + subject + " broke: " + code.message()};
  }
  return {HttpError::Kind::kProtocol, subject + " gave no valid answer: " + code.message()};
}

/// The connection had been kept alive and the peer closed it before it saw the request: not a failure of the request.
class StaleConnection : public std::exception {};

/// Notes whom the peer's certificate is for, should it be for somebody else.
class CertificateNames {
 public:
  bool operator()(bool is_accepted, ssl::verify_context& context) const {
    const int error = X509_STORE_CTX_get_error(context.native_handle());
    if (!is_accepted && (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
      const X509* certificate = X509_STORE_CTX_get_current_cert(context.native_handle());
      if (certificate != nullptr) *names_ = base::certificate_names(*certificate);
    }
    return is_accepted;
  }

  const std::string& text() const { return *names_; }

 private:
  std::shared_ptr<std::string> names_ = std::make_shared<std::string>();  // the stream has a copy of this object
};

}  // namespace

class HttpClient::Connection {
 public:
  Connection(const asio::any_io_executor& executor, ssl::context& tls, const HttpUrl& url,
             std::optional<HttpProxy> proxy, const std::optional<std::filesystem::path>& unix_socket)
      : url_(url),
        proxy_(std::move(proxy)),
        unix_socket_(unix_socket),
        socket_(executor),
        deadline_(
            executor, [this] { close(); }, [this] { close(); }) {
    if (url.tls) tls_.emplace(socket_, tls);
  }

  const HttpUrl& url() const noexcept { return url_; }
  const std::optional<HttpProxy>& proxy() const noexcept { return proxy_; }
  Deadline& deadline() noexcept { return deadline_; }

  base::Awaitable<void> connect() {
    if (unix_socket_) {
      co_await connect_unix();
    } else {
      co_await connect_tcp();
    }
    if (!tls_) co_return;
    if (proxy_) co_await open_tunnel();
    co_await handshake();
  }

  template <typename Function>
  auto visit(Function function) {
    return tls_ ? function(*tls_) : function(socket_);
  }

  /// Open, and with nothing to read: a peer that has closed it, or sends what nobody asked for, is not talked to again.
  bool is_quiet() {
    if (buffer.size() != 0) return false;
    char byte = 0;
    const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && errno == EAGAIN;
  }

  beast::flat_buffer buffer;
  bool used_before = false;
  base::TimePoint idle_since;

 private:
  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  base::Awaitable<void> connect_tcp() {
    const HttpUrl& peer = proxy_ ? proxy_->url : url_;
    const auto patience = deadline_.when() - deadline_.now();
    const auto endpoints = co_await look_up(peer.host, peer.port, std::chrono::ceil<base::Milliseconds>(patience));
    auto [socket, code] = co_await connect_any(endpoints, deadline_.when());
    if (code == asio::error::timed_out || deadline_.passed()) throw to_http_error(peer, beast::error::timeout);
    if (code) throw HttpError(HttpError::Kind::kConnect, "connecting to " + peer.origin() + ": " + code.message());
    socket_ = std::move(socket);
    socket_.set_option(tcp::no_delay(true), code);
  }

  base::Awaitable<void> connect_unix() {
    const asio::local::stream_protocol::endpoint endpoint(unix_socket_->string());
    socket_ = Socket(socket_.get_executor(), asio::generic::stream_protocol(endpoint.protocol()));
    error_code code;
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, code));
    if (deadline_.passed()) throw to_http_error(url_, beast::error::timeout);
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code) {
      throw HttpError(HttpError::Kind::kConnect, "connecting to " + unix_socket_->string() + ": " + code.message());
    }
  }

  base::Awaitable<void> open_tunnel();
  base::Awaitable<void> handshake();

  HttpUrl url_;
  std::optional<HttpProxy> proxy_;
  std::optional<std::filesystem::path> unix_socket_;  ///< instead of the URL's host
  Socket socket_;
  std::optional<TlsClientStream> tls_;
  Deadline deadline_;
};

namespace {

template <typename Stream>
using ResponseReader = HttpReader<Stream, false>;

/// Reads heads until one is of the answer itself. `reader` is left behind it.
template <typename Stream>
base::Awaitable<error_code> read_answer_head(Stream& stream, beast::flat_buffer& buffer, const Deadline& deadline,
                                             std::size_t read_bytes, bool without_body,
                                             std::optional<ResponseReader<Stream>>& reader) {
  for (int interim = 0;; ++interim) {
    reader.emplace(
        stream, buffer, deadline,
        typename ResponseReader<Stream>::Limits{
            .max_header_bytes = kMaxResponseHeaderBytes, .max_fields = kMaxResponseFields, .read_bytes = read_bytes});
    if (without_body) reader->parser().skip(true);
    const error_code code = co_await reader->read_head();
    if (code) co_return code;
    const unsigned status = reader->parser().get().result_int();
    if (status / 100 != 1) co_return code;
    // Nobody asked for another protocol; and who has not answered by now never will.
    if (status == 101 || interim == kMaxInterimResponses) co_return http::error::bad_status;
  }
}

}  // namespace

/// RFC 9110 section 9.3.6.
base::Awaitable<void> HttpClient::Connection::open_tunnel() {
  const std::string target = url_.host_in_brackets() + ":" + url_.port;
  http::request<http::empty_body> request(http::verb::connect, target, 11);
  request.set(http::field::host, target);
  if (!proxy_->authorization.empty()) request.set(http::field::proxy_authorization, proxy_->authorization);
  error_code code;
  co_await http::async_write(socket_, request, asio::redirect_error(asio::use_awaitable, code));
  if (code && deadline_.passed()) code = beast::error::timeout;
  std::optional<ResponseReader<Socket>> reader;
  if (!code) code = co_await read_answer_head(socket_, buffer, deadline_, kAnswerReadBytes, true, reader);
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (code) throw to_http_error(proxy_->url, code);
  const unsigned status = reader->parser().get().result_int();
  if (status / 100 != 2) {
    throw HttpError(HttpError::Kind::kConnect,
                    "proxy " + proxy_->url.origin() + " refused a tunnel with status " + std::to_string(status));
  }
  if (buffer.size() != 0) {
    throw HttpError(HttpError::Kind::kProtocol, "proxy " + proxy_->url.origin() + " sent more than its answer");
  }
}

base::Awaitable<void> HttpClient::Connection::handshake() {
  error_code code;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(tls_->native_handle());
  asio::ip::make_address(url_.host, code);
  int set = 0;
  if (code) {  // RFC 6066 section 3: SNI carries names only
    std::string name = url_.host;
    SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    set = X509_VERIFY_PARAM_set1_host(parameters, url_.host.c_str(), url_.host.size());
  } else {
    set = X509_VERIFY_PARAM_set1_ip_asc(parameters, url_.host.c_str());
  }
  if (set != 1) throw HttpError(HttpError::Kind::kTls, "TLS with " + url_.origin() + ": no certificate can be for it");
  const CertificateNames names;
  tls_->set_verify_callback(names);
  co_await tls_->async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, code));
  if (!code) co_return;
  if (deadline_.passed()) throw to_http_error(url_, beast::error::timeout);
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (is_hang_up(code) || !is_tls_error(code)) throw to_http_error(url_, code);
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  std::string reason = verdict == X509_V_OK ? code.message() : X509_verify_cert_error_string(verdict);
  if (!names.text().empty()) {
    reason = "the certificate is not for " + url_.host + " but for " + names.text();
  }
  throw HttpError(HttpError::Kind::kTls, "TLS with " + url_.origin() + ": " + reason);
}

namespace {

using X509StorePtr = std::unique_ptr<X509_STORE, base::FreeWith<X509_STORE_free>>;

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
    std::optional<HttpProxy> proxy;
    if (uses_proxies && !unix_socket) proxy = ProxyEnvironment::of_process().proxy_for(url);
    return std::make_unique<Connection>(executor, tls, url, std::move(proxy), unix_socket);
  }

  ConnectionPtr take_idle(const std::string& origin) {
    for (auto place = idle.begin(); place != idle.end();) {
      if ((*place)->url().origin() != origin) {
        ++place;
        continue;
      }
      ConnectionPtr connection = std::move(*place);
      place = idle.erase(place);
      const bool is_fresh = now() - connection->idle_since <= kMaxIdleTime;
      if (is_fresh && connection->is_quiet()) return connection;
    }
    return nullptr;
  }

  void keep(ConnectionPtr connection) {
    connection->used_before = true;
    connection->idle_since = now();
    connection->deadline().disarm();
    idle.push_front(std::move(connection));
    if (idle.size() > kMaxIdleConnections) idle.pop_back();
  }

  base::TimePoint now() const { return base::TimeService::of(executor).now(); }

  asio::any_io_executor executor;
  ssl::context tls;
  bool trusts_system = false;
  bool uses_proxies = true;
  std::optional<std::filesystem::path> unix_socket;
  std::list<ConnectionPtr> idle;  // the one used last stands first
};

namespace {

/// Refers to the body of `request`.
Request to_beast(const HttpRequest& request, const HttpUrl& url, const std::optional<HttpProxy>& proxy) {
  const bool absolute_form = proxy && !url.tls;
  Request message;
  message.method_string(request.method);
  message.version(11);
  message.target(absolute_form ? "http://" + url.authority() + url.target : url.target);
  message.set(http::field::host, url.authority());
  message.set(http::field::user_agent, kUserAgent);
  if (absolute_form && !proxy->authorization.empty()) {
    message.set(http::field::proxy_authorization, proxy->authorization);
  }
  for (const HttpHeader& header : request.headers) message.set(header.name, header.value);
  message.body() = {request.body.data(), request.body.size()};
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") message.prepare_payload();
  return message;
}

template <typename Fields>
std::vector<HttpHeader> headers_of(const Fields& fields) {
  std::vector<HttpHeader> headers;
  for (const auto& field : fields) headers.push_back({std::string(field.name_string()), std::string(field.value())});
  return headers;
}

/// Where a response's body goes, and how long it may take to arrive.
class Receiver {
 public:
  Receiver(HttpLimits limits, HttpClient::Sink sink) : limits_(limits), sink_(std::move(sink)) {}

  bool is_streaming() const noexcept { return sink_ != nullptr; }
  std::size_t read_bytes() const noexcept { return is_streaming() ? kStreamReadBytes : kAnswerReadBytes; }

  /// The first byte of the body has the time of the whole answer: whoever fetches it first may send the head at once.
  void begin(const HttpResponse& response) {
    goes_to_sink_ = is_streaming() && (response.status == status::kOk || response.status == status::kPartialContent);
    max_bytes_ =
        is_streaming() && !goes_to_sink_ ? std::min(limits_.max_body_bytes, kMaxRefusalBytes) : limits_.max_body_bytes;
  }
  std::size_t max_bytes() const noexcept { return max_bytes_; }

  base::Awaitable<void> take(base::ByteView piece, HttpResponse& response, Deadline& deadline) {
    const bool is_first = received_ == 0;
    if (is_first) began_ = deadline.now();
    received_ += piece.size();
    extend(deadline);
    if (!goes_to_sink_) {
      response.body.append(base::text_of(piece));
      co_return;
    }
    // Each call of the sink has a price of its own; a record of TLS is 16 KiB at most. Only that the body has begun is
    // told at once.
    base::append(waiting_, piece);
    if (is_first || waiting_.size() >= kStreamReadBytes) co_await flush(response);
  }

  base::Awaitable<void> flush(const HttpResponse& head) {
    if (waiting_.empty()) co_return;
    co_await sink_(head, waiting_);
    waiting_.clear();
  }

 private:
  void extend(Deadline& deadline) const {
    if (!is_streaming()) return;
    deadline.arm_at(began_ + limits_.body_delay + std::chrono::seconds(received_ / limits_.min_bytes_per_second));
  }

  HttpLimits limits_;
  HttpClient::Sink sink_;
  TimePoint began_;
  std::size_t max_bytes_ = 0;
  std::size_t received_ = 0;
  bool goes_to_sink_ = false;
  base::Bytes waiting_;
};

template <typename Stream>
base::Awaitable<void> write_request(Stream& stream, const Request& request, const HttpUrl& url,
                                    const Deadline& deadline, bool reused) {
  error_code code;
  co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, code));
  if (!code) co_return;
  if (deadline.passed()) throw to_http_error(url, beast::error::timeout);
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (reused) throw StaleConnection();
  throw to_http_error(url, code);
}

HttpError cut_off(const HttpUrl& url, const error_code& code) {
  return is_hang_up(code) ? to_http_error(url, http::error::partial_message) : to_http_error(url, code);
}

/// Sends `request` and takes the answer. `keep_alive` says whether another may follow it.
template <typename Stream>
base::Awaitable<HttpResponse> exchange(Stream& stream, beast::flat_buffer& buffer, const Request& request,
                                       const HttpUrl& url, Deadline& deadline, Receiver& receiver, bool reused,
                                       bool& keep_alive) {
  co_await write_request(stream, request, url, deadline, reused);
  std::optional<ResponseReader<Stream>> reader;
  const bool is_head = request.method() == http::verb::head;
  error_code code = co_await read_answer_head(stream, buffer, deadline, receiver.read_bytes(), is_head, reader);
  if (code == asio::error::operation_aborted) throw system_error(code);
  if (code && reused && !reader->parser().got_some() && code != beast::error::timeout) throw StaleConnection();
  if (code) throw to_http_error(url, code);
  const auto& head = reader->parser().get();
  switch (transfer_coding_of(head, reader->parser().chunked())) {
    case TransferCoding::kNone:
    case TransferCoding::kChunked: break;
    case TransferCoding::kUnsupported:
    case TransferCoding::kUnending:
      throw HttpError(HttpError::Kind::kProtocol, url.origin() + " sent a transfer coding other than chunked");
  }
  // Fields of the head only: what a trailer says came behind what it is about.
  HttpResponse response{head.result_int(), headers_of(head.base()), {}};
  receiver.begin(response);
  if (!reader->is_done()) code = reader->limit_body(receiver.max_bytes());
  for (;;) {
    base::ByteView piece;
    if (!code) code = co_await reader->read_piece(piece);
    if (code == http::error::body_limit && response.status >= kFirstRefusal) {
      keep_alive = false;
      co_return response;
    }
    if (code == asio::error::operation_aborted) throw system_error(code);
    if (code) {
      co_await receiver.flush(response);  // what has come counts
      throw cut_off(url, code);
    }
    if (piece.empty()) break;
    co_await receiver.take(piece, response, deadline);
  }
  co_await receiver.flush(response);
  keep_alive = reader->parser().keep_alive();
  co_return response;
}

}  // namespace

HttpClient::HttpClient(asio::any_io_executor executor, const std::optional<std::filesystem::path>& ca_file,
                       Proxies proxies)
    : state_(std::make_unique<State>(std::move(executor))) {
  state_->uses_proxies = proxies == Proxies::kOfEnvironment;
  SSL_CTX_set_min_proto_version(state_->tls.native_handle(), TLS1_2_VERSION);
  state_->tls.set_verify_mode(ssl::verify_peer);
  if (!ca_file) {
    state_->trusts_system = true;
    return;
  }
  error_code code;
  state_->tls.load_verify_file(ca_file->string(), code);
  if (code) throw base::InvalidInput(ca_file->string(), "no usable PEM certificates: " + code.message());
}

HttpClient HttpClient::over_unix_socket(asio::any_io_executor executor, const std::filesystem::path& path) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    throw base::InvalidInput(path.string(), "is too long for a socket's path");
  }
  HttpClient client(std::move(executor));
  client.state_->unix_socket = path;
  return client;
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

base::Awaitable<HttpResponse> HttpClient::send(HttpRequest request, HttpLimits limits) {
  Sink keeps_it;
  co_return co_await stream(std::move(request), limits, std::move(keeps_it));
}

base::Awaitable<HttpResponse> HttpClient::stream(HttpRequest request, HttpLimits limits, Sink sink) {
  const HttpUrl url = HttpUrl::parse(request.url, "URL");
  const TimePoint began = base::TimeService::of(state_->executor).now();
  for (;;) {
    auto connection = state_->take_idle(url.origin());
    if (!connection) connection = state_->new_connection(url);
    if (!connection->used_before) {
      connection->deadline().arm_at(began + std::min(limits.timeout, limits.connect_timeout));
      co_await connection->connect();
    }
    connection->deadline().arm_at(began + limits.timeout);
    const Request message = to_beast(request, url, connection->proxy());
    Receiver receiver(limits, sink);
    bool keep_alive = false;
    const auto over = [&](auto& stream) {
      return exchange(stream, connection->buffer, message, url, connection->deadline(), receiver,
                      connection->used_before, keep_alive);
    };
    try {
      HttpResponse response = co_await connection->visit(over);
      // Not the query, which may be what gives access.
      base::log::trace("HTTP", {{"method", request.method},
                                {"url", url.origin() + url.target.substr(0, url.target.find('?'))},
                                {"status", std::uint64_t{response.status}}});
      if (keep_alive) state_->keep(std::move(connection));
      co_return response;
    } catch (const StaleConnection&) {
      // There are finitely many idle connections, and a new one is never stale. What may not be done twice is the
      // caller's to send again: the server may have seen it.
      if (request.method != "GET" && request.method != "HEAD") {
        throw HttpError(HttpError::Kind::kBroken, url.origin() + " closed the connection without an answer");
      }
    }
  }
}

}  // namespace net
