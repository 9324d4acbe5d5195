#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>

#include "base/asio.h"
#include "base/file.h"
#include "net/peer.h"

namespace net {

/// A connection as the kernel gave it.
struct AcceptedConnection {
  base::FileDescriptor socket;
  Peer peer;
  std::optional<asio::ip::address> address = {};  ///< of a client over TCP
};

/// Takes connections from a listening socket the moment they come, on a thread of its own, and hands them to the
/// executor.
///
/// The kernel keeps one queue for all peers. When it is full everybody is turned away (a Unix socket's connect fails
/// with EAGAIN, TCP tries again a second later), so that whoever connects faster than a busy event loop accepts would
/// keep all others out. This thread does nothing else. Of those that wait here for the executor, the peer with most
/// loses its oldest when there are too many.
class AcceptThread {
 public:
  /// Is called on the executor.
  using Take = std::function<void(AcceptedConnection)>;
  /// Whether many peers stand behind an address, as behind a proxy: none of its connections is dropped, they wait in
  /// the kernel's queue, and one is handed over in each turn of the executor. Is called on the thread.
  using IsShared = std::function<bool(const asio::ip::address&)>;

  /// Of `listening`, a stream socket of TCP or a Unix socket, on which listen() was called. The executor counts as busy
  /// as long as this object lives.
  AcceptThread(asio::any_io_executor executor, base::FileDescriptor listening, std::size_t max_waiting, Take take,
               IsShared is_shared = {});
  AcceptThread(const AcceptThread&) = delete;
  AcceptThread& operator=(const AcceptThread&) = delete;
  /// Closes the socket and all connections that wait; nothing is handed over afterwards. To be called on the executor.
  ~AcceptThread();

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

/// The process at the other end of a Unix socket.
Peer peer_of_unix_socket(int socket);

}  // namespace net
