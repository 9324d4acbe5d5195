#pragma once

// How HttpServer and HttpClient read messages. Included by their .cpp files only, so that nobody else compiles Beast.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>

#include "base/asio.h"
#include "base/bytes.h"
#include "net/deadline.h"

namespace net {

/// A body for Beast's parsers that keeps nothing: each step of the parser leaves a view of the piece that it has found.
struct PieceBody {
  using value_type = base::ByteView;

  class reader {  // NOLINT(readability-identifier-naming): Beast's name
   public:
    template <bool IsRequest, typename Fields>
    reader(boost::beast::http::header<IsRequest, Fields>&, value_type& piece) : piece_(piece) {}

    static void init(const boost::optional<std::uint64_t>&, boost::system::error_code& code) { code = {}; }
    std::size_t put(asio::const_buffer bytes, boost::system::error_code& code) {
      piece_ = base::ByteView(static_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      code = {};
      return bytes.size();
    }
    static void finish(boost::system::error_code& code) { code = {}; }

   private:
    value_type& piece_;
  };
};

/// Reads one message of HTTP/1.1 (RFC 9112) and counts every byte of it: those of the head, of the body, and those
/// between: chunk sizes, chunk extensions and trailer fields. Never reads on past the deadline.
template <typename Stream, bool IsRequest>
class HttpReader {
 public:
  using Parser = boost::beast::http::parser<IsRequest, PieceBody>;
  using ErrorCode = boost::system::error_code;

  /// http::error::header_limit beyond.
  struct Limits {
    std::size_t max_header_bytes;  ///< of a head, of one chunk's first line, and of all trailer fields
    std::size_t max_fields;        ///< of a head, and of a trailer: one costs far more memory than its bytes
    std::size_t read_bytes;        ///< taken from the stream at a time
  };

  /// `buffer` holds what was read beyond the message; it outlives this reader and goes to the next one.
  HttpReader(Stream& stream, boost::beast::flat_buffer& buffer, const Deadline& deadline, Limits limits)
      : stream_(stream), buffer_(buffer), deadline_(deadline), limits_(limits) {
    parser_.header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
    parser_.body_limit(boost::none);  // until it is known what the head asks for
  }
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;

  Parser& parser() noexcept { return parser_; }
  /// Whether the message has a body of which something is still to be read.
  bool is_done() const { return parser_.is_done(); }

  /// Reads up to the end of the head.
  base::Awaitable<ErrorCode> read_head() {
    ErrorCode code;
    while (!parser_.is_header_done()) {
      const std::size_t taken = co_await step(code);
      head_bytes_ += taken;
      if (code) co_return code;
      buffer_.consume(taken);
      if (head_bytes_ > limits_.max_header_bytes) co_return boost::beast::http::error::header_limit;
    }
    co_return check_fields();
  }

  /// Gives the memory of the head's fields back. What they say of how the message is framed is known.
  void drop_fields() { parser_.get().clear(); }

  /// To be called between head and body. A body that is announced as longer is not read at all.
  ErrorCode limit_body(std::uint64_t max_bytes) {
    const auto length = parser_.content_length();
    if (length && *length > max_bytes) return boost::beast::http::error::body_limit;
    parser_.body_limit(max_bytes);
    return {};
  }

  /// The next piece of the body, good until the next call; none when the message has ended.
  base::Awaitable<ErrorCode> read_piece(base::ByteView& piece) {
    ErrorCode code;
    piece = {};
    buffer_.consume(piece_bytes_);
    piece_bytes_ = 0;
    while (!parser_.is_done()) {
      parser_.get().body() = {};
      const std::size_t taken = co_await step(code);
      if (code) co_return code;
      piece = parser_.get().body();
      if (!count(taken - piece.size(), piece.size())) co_return boost::beast::http::error::header_limit;
      if (parser_.is_done()) code = check_fields();
      if (code) co_return code;
      if (!piece.empty()) {
        piece_bytes_ = taken;
        co_return code;
      }
      buffer_.consume(taken);
    }
    co_return code;
  }

 private:
  /// They are there already when they are counted; then they go at once, not when the connection does.
  ErrorCode check_fields() {
    const auto& fields = parser_.get();
    if (static_cast<std::size_t>(std::distance(fields.begin(), fields.end())) <= limits_.max_fields) return {};
    drop_fields();
    return boost::beast::http::error::header_limit;
  }

  /// What surrounds the pieces of a body may weigh as much as they do, and this beyond it.
  static constexpr std::uint64_t kMaxFraming = std::uint64_t{64} << 10U;

  /// One step of the parser over what is in the buffer, of which that many bytes are to be consumed. Reads from the
  /// stream when there is nothing to take a step over.
  base::Awaitable<std::size_t> step(ErrorCode& code) {
    code = {};
    for (;;) {
      if (buffer_.size() > 0 && !needs_more_) {
        const std::size_t taken = parser_.put(buffer_.data(), code);
        if (code != boost::beast::http::error::need_more) co_return taken;
        code = {};
        needs_more_ = true;
        if (taken > 0) co_return taken;
      }
      if (buffer_.size() >= limits_.max_header_bytes) {  // and still neither a line nor the trailer fields are whole
        code = boost::beast::http::error::header_limit;
        co_return 0;
      }
      co_await read_more(code);
      if (code || parser_.is_done()) co_return 0;
    }
  }

  base::Awaitable<void> read_more(ErrorCode& code) {
    if (deadline_.passed()) {
      code = boost::beast::error::timeout;
      co_return;
    }
    const std::size_t got = co_await stream_.async_read_some(buffer_.prepare(limits_.read_bytes),
                                                             asio::redirect_error(asio::use_awaitable, code));
    buffer_.commit(got);
    needs_more_ = false;
    if (code && deadline_.passed()) code = boost::beast::error::timeout;
    if (code != asio::error::eof) co_return;
    code = boost::beast::http::error::end_of_stream;
    if (parser_.got_some()) parser_.put_eof(code);
  }

  bool count(std::uint64_t framing, std::uint64_t payload) {
    if (framing > limits_.max_header_bytes) return false;
    framing_bytes_ += framing;
    payload_bytes_ += payload;
    return framing_bytes_ <= payload_bytes_ + kMaxFraming;
  }

  Stream& stream_;
  boost::beast::flat_buffer& buffer_;
  const Deadline& deadline_;
  Limits limits_;
  Parser parser_;
  std::size_t head_bytes_ = 0;
  std::size_t piece_bytes_ = 0;  ///< of the buffer, under the piece that was given last
  std::uint64_t framing_bytes_ = 0;
  std::uint64_t payload_bytes_ = 0;
  bool needs_more_ = false;  ///< the parser can't take a step over what is in the buffer
};

/// What a message says of how its body is coded: one coding at most, which is "chunked" (RFC 9112, section 6.1). Others
/// are not understood here, and a body whose end is not known must not be read as the next message.
enum class TransferCoding { kNone, kChunked, kUnsupported, kUnending };

template <typename Message>
TransferCoding transfer_coding_of(const Message& message, bool is_chunked) {
  namespace http = boost::beast::http;
  const auto count = message.count(http::field::transfer_encoding);
  if (count == 0) return TransferCoding::kNone;
  if (!is_chunked || message.version() < 11) return TransferCoding::kUnending;
  const bool alone = count == 1 && boost::beast::iequals(message[http::field::transfer_encoding], "chunked");
  return alone ? TransferCoding::kChunked : TransferCoding::kUnsupported;
}

}  // namespace net
