#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/asio.h"
#include "net/connection_table.h"
#include "net/deadline.h"
#include "net/http_server.h"

namespace net {

/// A connected socket of any family.
using StreamSocket = asio::generic::stream_protocol::socket;
using TlsStream = asio::ssl::stream<StreamSocket&>;

/// What answers the requests of all connections of a server.
struct HttpService {
  HttpHandler handler;
  HttpAdmit admit;  ///< may be empty: every request may have a body
  HttpServerLimits limits;
  bool stopping = false;  ///< whoever has its answer is told to close

  HttpAdmission admission_of(const HttpServerRequest& head) const;
};

/// Reads requests from a stream and answers them, one after the other, until the client or a limit ends it. `deadline`
/// and `place` are the connection's own: each state arms the one and tells the other.
base::Awaitable<void> converse(const HttpService& service, StreamSocket& stream, Deadline& deadline,
                               ConnectionTable::Place& place);
base::Awaitable<void> converse(const HttpService& service, TlsStream& stream, Deadline& deadline,
                               ConnectionTable::Place& place);

/// Says 503 to a client for whose connection there is no place.
base::Awaitable<void> refuse_connection(asio::any_io_executor executor, std::shared_ptr<StreamSocket> socket);

/// Neither throws.
void cancel(StreamSocket& socket);
void close(StreamSocket& socket);

}  // namespace net
