#include "attest/turns.h"

#include <algorithm>
#include <list>
#include <utility>

namespace attest {
namespace {

constexpr std::size_t kMaxAtOnce = 8;
constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20U;

}  // namespace

std::size_t attestations_at_once(std::size_t request_bytes) {
  return std::clamp<std::size_t>(kBytesAtOnce / std::max<std::size_t>(request_bytes, 1), 1, kMaxAtOnce);
}

struct Turns::State {
  enum class Outcome { kWaiting, kTurn, kTurnedAway };

  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : called(executor) {}

    void call(Outcome with) {
      outcome = with;
      called.set();
    }

    base::Event called;
    Outcome outcome = Outcome::kWaiting;
  };

  /// What one process has waiting; never empty.
  struct Queue {
    net::Peer process;
    std::list<std::shared_ptr<Waiter>> waiters;
  };

  State(asio::any_io_executor on, Limits with) : executor(std::move(on)), limits(with), free(with.at_once) {}

  std::list<Queue>::iterator queue_of(const net::Peer& process) {
    return std::ranges::find(queues, process, &Queue::process);
  }

  /// Nothing when there is no room.
  std::shared_ptr<Waiter> add(const net::Peer& process) {
    const auto own = queue_of(process);
    const std::size_t mine = own == queues.end() ? 0 : own->waiters.size();
    if (mine >= limits.max_waiting_of_one) return nullptr;
    if (waiting >= limits.max_waiting && !make_room(mine)) return nullptr;
    ++waiting;
    auto waiter = std::make_shared<Waiter>(executor);
    const auto queue = own == queues.end() ? queues.insert(own, Queue{process, {}}) : own;
    queue->waiters.push_back(waiter);
    return waiter;
  }

  /// Turns away the last of who has most, if that is more than the newcomer would have.
  bool make_room(std::size_t newcomer_has) {
    const auto longest = std::ranges::max_element(queues, {}, [](const Queue& queue) { return queue.waiters.size(); });
    if (longest == queues.end() || longest->waiters.size() <= newcomer_has + 1) return false;
    longest->waiters.back()->call(Outcome::kTurnedAway);
    longest->waiters.pop_back();
    --waiting;
    return true;
  }

  /// The first queue's first has the turn that has become free, and its queue goes to the end.
  void pass_on() {
    if (queues.empty()) {
      ++free;
      return;
    }
    Queue& next = queues.front();
    next.waiters.front()->call(Outcome::kTurn);
    next.waiters.pop_front();
    --waiting;
    if (next.waiters.empty()) {
      queues.pop_front();
    } else {
      queues.splice(queues.end(), queues, queues.begin());
    }
  }

  /// Of one who waits no longer and was not called.
  void remove(const net::Peer& process, const std::shared_ptr<Waiter>& waiter) {
    const auto queue = queue_of(process);
    queue->waiters.remove(waiter);
    --waiting;
    if (queue->waiters.empty()) queues.erase(queue);
  }

  /// The end of a wait, however it ended. Whether it was with a turn.
  bool leave(const net::Peer& process, const std::shared_ptr<Waiter>& waiter) {
    if (waiter->outcome == Outcome::kWaiting) remove(process, waiter);
    return waiter->outcome == Outcome::kTurn;
  }

  asio::any_io_executor executor;
  Limits limits;
  std::size_t free;
  std::size_t waiting = 0;
  std::list<Queue> queues;  ///< the one whose turn is next stands first
};

Turns::Turn::~Turn() {
  if (state_) state_->pass_on();
}

Turns::Turns(asio::any_io_executor executor, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), limits)) {}

base::Awaitable<std::optional<Turns::Turn>> Turns::wait(net::Peer process) {
  const std::shared_ptr<State> state = state_;
  std::optional<Turn> turn;
  if (state->free > 0) {
    --state->free;
    turn.emplace(state);
    co_return turn;
  }
  const std::shared_ptr<State::Waiter> waiter = state->add(process);
  if (!waiter) co_return turn;
  try {
    co_await waiter->called.wait_for(state->limits.patience);
  } catch (...) {
    if (state->leave(process, waiter)) state->pass_on();
    throw;
  }
  if (state->leave(process, waiter)) turn.emplace(state);
  co_return turn;
}

}  // namespace attest
