#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/asio.h"

namespace base {

/// Lets as many coroutines into something at a time as it has places. The others wait, in the order in which they came.
/// For one executor's thread.
class Semaphore {
  struct State;

 public:
  /// Given up with this object. May outlive the semaphore.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    std::shared_ptr<State> state_;
  };

  Semaphore(asio::any_io_executor executor, std::size_t places);

  /// A place, or nothing when none became free within `patience`.
  Awaitable<std::optional<Place>> enter(Milliseconds patience);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace base
