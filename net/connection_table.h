#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "net/peer.h"

namespace net {

/// The connections of a server, what each waits for and how much memory it holds; and who gives way when there are too
/// many or they hold too much. As long as there is room for all, nobody's share counts. When there is none, the peer
/// with most loses a connection that keeps it waiting: one that never said anything, else the one that has waited
/// longest. Nobody gives way to a peer that has more than it has itself.
class ConnectionTable {
 public:
  struct Limits {
    std::size_t max_connections;
    std::size_t max_bytes;  ///< of what all connections hold together
  };

  enum class State {
    kSilent,     ///< has not said anything yet
    kIdle,       ///< between requests
    kReading,    ///< of a handshake or a request, something is still to come
    kAnswering,  ///< it waits for us, not we for it
    kWriting,    ///< its answer is there; it is to take it
  };

  /// How the table gets rid of a connection.
  struct Actions {
    std::function<void()> close;   ///< breaks off what it waits for
    std::function<void()> cancel;  ///< breaks off the work on its answer
  };

 private:
  struct Entry {
    Peer peer;
    Actions actions;
    State state = State::kSilent;
    std::size_t bytes = 0;
    bool is_leaving = false;  ///< told to go: no longer counted
  };
  using Entries = std::list<Entry>;  // the one whose state changed last stands at the end

 public:
  /// A place in the table, given up with this object.
  class Place {
   public:
    Place(ConnectionTable& table, Entries::iterator entry) : table_(&table), entry_(entry) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { table_->remove(entry_); }

    void set_state(State state) { table_->set_state(entry_, state); }
    void set_peer(const Peer& peer) { table_->set_peer(entry_, peer); }
    const Peer& peer() const noexcept { return entry_->peer; }
    /// Holds `bytes` from now on. False, and nothing changed, when there is no room for as much.
    bool hold(std::size_t bytes) { return table_->hold(entry_, bytes); }

   private:
    ConnectionTable* table_;
    Entries::iterator entry_;
  };

  explicit ConnectionTable(Limits limits) : limits_(limits) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// A place for a connection of `peer`; nothing when there is no room and nobody to give way.
  std::unique_ptr<Place> add(const Peer& peer, Actions actions);

  /// Closes the connections between requests.
  void close_idle();
  /// Closes every connection, and cancels the work on answers.
  void close_all();

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  /// Called whenever the last connection has gone.
  void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

 private:
  struct Share {
    std::size_t connections = 0;
    std::size_t bytes = 0;
  };

  Share share_of(const Peer& peer) const;
  bool make_room(const Peer& newcomer);
  bool make_room_for(Entries::iterator needy, std::size_t more);
  void dismiss(Entry& entry);
  void uncount(const Entry& entry);
  void remove(Entries::iterator entry);
  void set_state(Entries::iterator entry, State state);
  void set_peer(Entries::iterator entry, const Peer& peer);
  bool hold(Entries::iterator entry, std::size_t bytes);

  Limits limits_;
  Entries entries_;
  std::map<Peer, Share> shares_;
  Share total_;
  std::function<void()> on_empty_;
};

}  // namespace net
