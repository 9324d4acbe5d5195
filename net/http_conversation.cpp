#include "net/http_conversation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/error.h"
#include "base/log.h"
#include "net/http_reader.h"
#include "net/request_target.h"

namespace net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;
using Response = http::response<http::string_body>;

constexpr std::size_t kRequestReadBytes = std::size_t{16} << 10U;
/// A body's memory is taken in steps of at least this much, and of its own size when that is more.
constexpr std::size_t kBodyStep = std::size_t{16} << 10U;
/// How much of a refused request is read and thrown away, so that the client gets to see the answer.
constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10U;
constexpr base::Milliseconds kDrainTimeout{1000};

StreamSocket& lowest(StreamSocket& stream) { return stream; }
StreamSocket& lowest(TlsStream& stream) { return stream.next_layer(); }

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

/// One connection's requests, one after the other.
template <typename Stream>
class Conversation {
 public:
  Conversation(const HttpService& service, Stream& stream, Deadline& deadline, ConnectionTable::Place& place)
      : service_(service), stream_(stream), deadline_(deadline), place_(place) {}
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
    deadline_.arm(service_.limits.request_timeout);
    Reader reader(stream_, buffer_, deadline_,
                  {.max_header_bytes = service_.limits.max_header_bytes,
                   .max_fields = service_.limits.max_fields,
                   .read_bytes = kRequestReadBytes});
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
    request.peer = place_.peer();
    HttpAdmission admission = service_.admission_of(request);
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
    const std::uint64_t body_bytes = request.body.size();
    HttpResponse response = co_await handle(request);
    base::log::trace("HTTP request", {{"method", request.method},
                                      {"path", request.path},
                                      {"bytes", body_bytes},
                                      {"status", std::uint64_t{response.status}}});
    std::string().swap(request.body);
    co_return co_await answer(reader, request, std::move(response));
  }

  base::Awaitable<void> wait_for_first_byte(error_code& code) {
    if (served_any_) {
      place_.set_state(ConnectionTable::State::kIdle);
      if (service_.stopping) code = asio::error::operation_aborted;
    }
    if (code) co_return;
    deadline_.arm(service_.limits.idle_timeout);
    const std::size_t got = co_await stream_.async_read_some(buffer_.prepare(kRequestReadBytes),
                                                             asio::redirect_error(asio::use_awaitable, code));
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
      co_return co_await service_.handler(request);
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
    const bool keep_alive = reader.parser().keep_alive() && !service_.stopping;
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
    deadline_.arm(service_.limits.response_timeout);
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

  const HttpService& service_;
  Stream& stream_;
  Deadline& deadline_;
  ConnectionTable::Place& place_;
  beast::flat_buffer buffer_;
  bool served_any_ = false;
};

}  // namespace

HttpAdmission HttpService::admission_of(const HttpServerRequest& head) const {
  HttpAdmission admission{.max_body_bytes = limits.max_body_bytes};
  if (admit) admission = admit(head);
  admission.max_body_bytes = std::min(admission.max_body_bytes, limits.max_body_bytes);
  return admission;
}

base::Awaitable<void> converse(const HttpService& service, StreamSocket& stream, Deadline& deadline,
                               ConnectionTable::Place& place) {
  Conversation conversation(service, stream, deadline, place);
  co_await conversation.run();
}

base::Awaitable<void> converse(const HttpService& service, TlsStream& stream, Deadline& deadline,
                               ConnectionTable::Place& place) {
  Conversation conversation(service, stream, deadline, place);
  co_await conversation.run();
}

base::Awaitable<void> refuse_connection(asio::any_io_executor executor, std::shared_ptr<StreamSocket> socket) {
  Deadline deadline(
      executor, [socket] { cancel(*socket); }, [socket] { close(*socket); });
  deadline.arm(kDrainTimeout);
  const Response message = to_beast(plain_text(503, "too many connections\n"), false);
  error_code code;
  co_await http::async_write(*socket, message, asio::redirect_error(asio::use_awaitable, code));
  socket->shutdown(asio::socket_base::shutdown_both, code);
}

void cancel(StreamSocket& socket) {
  error_code ignored;
  socket.cancel(ignored);
}

void close(StreamSocket& socket) {
  error_code ignored;
  socket.close(ignored);
}

}  // namespace net
