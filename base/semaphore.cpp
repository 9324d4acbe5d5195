#include "base/semaphore.h"

#include <list>
#include <utility>

namespace base {

struct Semaphore::State {
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : called(executor) {}
    Event called;
    bool has_place = false;
  };

  void give_back() {
    if (waiting.empty()) {
      ++free;
      return;
    }
    const std::shared_ptr<Waiter> next = std::move(waiting.front());
    waiting.pop_front();
    next->has_place = true;
    next->called.set();
  }

  /// Ends the wait of `waiter`. Whether it has got a place.
  bool leave(const std::shared_ptr<Waiter>& waiter) {
    if (!waiter->has_place) waiting.remove(waiter);
    return waiter->has_place;
  }

  asio::any_io_executor executor;
  std::size_t free;
  std::list<std::shared_ptr<Waiter>> waiting;
};

Semaphore::Place::~Place() {
  if (state_) state_->give_back();
}

Semaphore::Semaphore(asio::any_io_executor executor, std::size_t places)
    : state_(std::make_shared<State>(State{std::move(executor), places, {}})) {}

Awaitable<std::optional<Semaphore::Place>> Semaphore::enter(Milliseconds patience) {
  const std::shared_ptr<State> state = state_;
  std::optional<Place> place;
  if (state->free > 0) {
    --state->free;
    place.emplace(state);
    co_return place;
  }
  const auto waiter = std::make_shared<State::Waiter>(state->executor);
  state->waiting.push_back(waiter);
  try {
    co_await waiter->called.wait_for(patience);
  } catch (...) {
    if (state->leave(waiter)) state->give_back();
    throw;
  }
  if (state->leave(waiter)) place.emplace(state);
  co_return place;
}

}  // namespace base
