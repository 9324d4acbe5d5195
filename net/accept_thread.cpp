#include "net/accept_thread.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/log.h"

namespace net {
namespace {

constexpr base::Milliseconds kPause{50};  // behind an accept that failed, such as with EMFILE

/// accept(2) also tells what went wrong with a connection before it was accepted: the next one is another matter.
bool is_of_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP: return true;
    default: return false;
  }
}

}  // namespace

Peer peer_of_unix_socket(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  const bool is_known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
  return is_known ? Peer::of_process(credentials.pid) : Peer();
}

struct AcceptThread::State : std::enable_shared_from_this<AcceptThread::State> {
  State(asio::any_io_executor e, base::FileDescriptor l, std::size_t m, Take t, IsShared s)
      : executor(std::move(e)),
        busy(executor),
        listening(std::move(l)),
        max_waiting(m),
        take(std::move(t)),
        is_shared(std::move(s)) {}

  void run();
  AcceptedConnection accept() const;
  void add(AcceptedConnection connection);
  bool drop_one();
  void uncount(const Peer& peer);
  void hand_over();

  struct Waiting {
    AcceptedConnection connection;
    bool may_be_dropped;
  };

  const asio::any_io_executor executor;
  asio::executor_work_guard<asio::any_io_executor> busy;
  base::FileDescriptor listening;
  const std::size_t max_waiting;
  const Take take;
  const IsShared is_shared;

  std::mutex mutex;  // the two threads meet in what follows and nowhere else
  std::condition_variable changed;
  std::deque<Waiting> waiting;
  std::map<Peer, std::size_t> droppable;  ///< how many of those that wait, and may be dropped, each peer has
  bool stopping = false;
};

void AcceptThread::State::run() {
  for (;;) {
    AcceptedConnection connection = accept();
    const int error = errno;
    if (connection.socket.get() >= 0) {
      add(std::move(connection));
    } else if (!is_of_one_connection(error)) {
      std::unique_lock lock(mutex);
      if (stopping) return;
      asio::post(executor, [error] {
        base::log::warning("accepting a connection failed", {{"error", std::generic_category().message(error)}});
      });
      changed.wait_for(lock, kPause, [this] { return stopping; });
    }
  }
}

AcceptedConnection AcceptThread::State::accept() const {
  asio::ip::tcp::endpoint from;
  auto size = static_cast<socklen_t>(from.capacity());
  AcceptedConnection connection{
      base::FileDescriptor(::accept4(listening.get(), from.data(), &size, SOCK_CLOEXEC)), {}, {}};
  if (connection.socket.get() < 0) return connection;
  if (from.data()->sa_family == AF_UNIX) {
    connection.peer = peer_of_unix_socket(connection.socket.get());
  } else {
    connection.address = from.address();
    connection.peer = Peer::of_address(*connection.address);
  }
  return connection;
}

void AcceptThread::State::add(AcceptedConnection connection) {
  const bool may_be_dropped = !connection.address || !is_shared || !is_shared(*connection.address);
  std::unique_lock lock(mutex);
  if (waiting.empty()) asio::post(executor, [self = shared_from_this()] { self->hand_over(); });
  if (may_be_dropped) ++droppable[connection.peer];
  waiting.push_back({std::move(connection), may_be_dropped});
  if (waiting.size() <= max_waiting || drop_one()) return;
  changed.wait(lock, [this] { return stopping || waiting.size() <= max_waiting; });
}

/// Of a peer with most the oldest goes; of peers that have as many, the one that has waited longest.
bool AcceptThread::State::drop_one() {
  if (droppable.empty()) return false;
  std::size_t most = 0;
  for (const auto& [peer, count] : droppable) most = std::max(most, count);
  const auto oldest = std::ranges::find_if(
      waiting, [&](const Waiting& each) { return each.may_be_dropped && droppable.at(each.connection.peer) == most; });
  uncount(oldest->connection.peer);
  waiting.erase(oldest);
  return true;
}

void AcceptThread::State::uncount(const Peer& peer) {
  const auto count = droppable.find(peer);
  if (--count->second == 0) droppable.erase(count);
}

void AcceptThread::State::hand_over() {
  std::vector<Waiting> ready;
  {
    const std::scoped_lock lock(mutex);
    // After one of an address that many share the executor has its turn, to learn whose it is before the next comes.
    for (bool is_turn = true; is_turn && !waiting.empty(); waiting.pop_front()) {
      is_turn = waiting.front().may_be_dropped;
      if (is_turn) uncount(waiting.front().connection.peer);
      ready.push_back(std::move(waiting.front()));
    }
    if (!waiting.empty()) asio::post(executor, [self = shared_from_this()] { self->hand_over(); });
  }
  changed.notify_one();
  for (Waiting& each : ready) {
    if (!stopping) take(std::move(each.connection));
  }
}

AcceptThread::AcceptThread(asio::any_io_executor executor, base::FileDescriptor listening, std::size_t max_waiting,
                           Take take, IsShared is_shared)
    : state_(std::make_shared<State>(std::move(executor), std::move(listening), max_waiting, std::move(take),
                                     std::move(is_shared))),
      thread_([state = state_] { state->run(); }) {}

AcceptThread::~AcceptThread() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
    state_->waiting.clear();
  }
  state_->changed.notify_one();
  ::shutdown(state_->listening.get(), SHUT_RDWR);  // ends accept(2), now and later
  thread_.join();
  state_->waiting.clear();  // one may have come meanwhile
  state_->listening = base::FileDescriptor();
  state_->busy.reset();
}

}  // namespace net
