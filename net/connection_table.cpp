#include "net/connection_table.h"

#include <optional>
#include <tuple>
#include <utility>

namespace net {
namespace {

/// Who gives way first: one that keeps us waiting, then whose peer has most, then one that never said anything.
using Rank = std::tuple<bool, std::size_t, bool>;

/// Of the entries that are not leaving and have a rank, one with the highest: of equals, the one that stands first,
/// which has waited longest.
template <typename Entries, typename RankOf>
auto find_highest(Entries& entries, RankOf rank_of) -> typename Entries::value_type* {
  typename Entries::value_type* highest = nullptr;
  std::optional<Rank> highest_rank;
  for (auto& entry : entries) {
    if (entry.is_leaving) continue;
    const std::optional<Rank> rank = rank_of(entry);
    if (!rank || rank <= highest_rank) continue;
    highest = &entry;
    highest_rank = rank;
  }
  return highest;
}

}  // namespace

ConnectionTable::Share ConnectionTable::share_of(const Peer& peer) const {
  const auto found = shares_.find(peer);
  return found == shares_.end() ? Share() : found->second;
}

std::unique_ptr<ConnectionTable::Place> ConnectionTable::add(const Peer& peer, Actions actions) {
  if (total_.connections >= limits_.max_connections && !make_room(peer)) return nullptr;
  const auto entry = entries_.insert(entries_.end(), Entry{.peer = peer, .actions = std::move(actions)});
  ++total_.connections;
  ++shares_[peer].connections;
  return std::make_unique<Place>(*this, entry);
}

bool ConnectionTable::make_room(const Peer& newcomer) {
  const std::size_t mine = share_of(newcomer).connections;
  Entry* const leaves = find_highest(entries_, [&](const Entry& entry) -> std::optional<Rank> {
    const std::size_t theirs = share_of(entry.peer).connections;
    const bool keeps_us_waiting = entry.state != State::kAnswering;
    // Work under way is broken off only for a peer that would otherwise have nothing like as much.
    const bool may_go = keeps_us_waiting ? (entry.peer == newcomer || theirs > mine) : theirs > mine + 1;
    if (!may_go) return std::nullopt;
    return Rank(keeps_us_waiting, theirs, entry.state == State::kSilent);
  });
  if (leaves == nullptr) return false;
  dismiss(*leaves);
  return true;
}

bool ConnectionTable::make_room_for(Entries::iterator needy, std::size_t more) {
  while (total_.bytes + more > limits_.max_bytes) {
    const std::size_t mine = share_of(needy->peer).bytes;
    Entry* const leaves = find_highest(entries_, [&](const Entry& entry) -> std::optional<Rank> {
      if (&entry == &*needy || entry.bytes == 0) return std::nullopt;
      const std::size_t theirs = share_of(entry.peer).bytes;
      const bool keeps_us_waiting = entry.state != State::kAnswering;
      // As with connections: work under way only for a peer that would otherwise have less.
      const bool may_go = entry.peer == needy->peer ? keeps_us_waiting : theirs > mine + more;
      if (!may_go) return std::nullopt;
      return Rank(keeps_us_waiting, theirs, false);
    });
    if (leaves == nullptr) return false;
    dismiss(*leaves);
  }
  return true;
}

bool ConnectionTable::hold(Entries::iterator entry, std::size_t bytes) {
  if (entry->is_leaving) return false;
  if (bytes > entry->bytes && !make_room_for(entry, bytes - entry->bytes)) return false;
  Share& share = shares_[entry->peer];
  share.bytes = share.bytes - entry->bytes + bytes;
  total_.bytes = total_.bytes - entry->bytes + bytes;
  entry->bytes = bytes;
  return true;
}

void ConnectionTable::dismiss(Entry& entry) {
  uncount(entry);
  entry.is_leaving = true;
  entry.actions.close();
  if (entry.state == State::kAnswering) entry.actions.cancel();
}

void ConnectionTable::uncount(const Entry& entry) {
  if (entry.is_leaving) return;
  total_.connections -= 1;
  total_.bytes -= entry.bytes;
  const auto share = shares_.find(entry.peer);
  share->second.connections -= 1;
  share->second.bytes -= entry.bytes;
  if (share->second.connections == 0) shares_.erase(share);
}

void ConnectionTable::remove(Entries::iterator entry) {
  uncount(*entry);
  entries_.erase(entry);
  if (entries_.empty() && on_empty_) on_empty_();
}

void ConnectionTable::set_state(Entries::iterator entry, State state) {
  entry->state = state;
  entries_.splice(entries_.end(), entries_, entry);
}

void ConnectionTable::set_peer(Entries::iterator entry, const Peer& peer) {
  if (entry->is_leaving) return;
  uncount(*entry);
  entry->peer = peer;
  total_.connections += 1;
  total_.bytes += entry->bytes;
  Share& share = shares_[peer];
  share.connections += 1;
  share.bytes += entry->bytes;
}

void ConnectionTable::close_idle() {
  for (Entry& entry : entries_) {
    if (entry.state == State::kSilent || entry.state == State::kIdle) entry.actions.close();
  }
}

void ConnectionTable::close_all() {
  for (Entry& entry : entries_) {
    entry.actions.close();
    entry.actions.cancel();
  }
}

}  // namespace net
