#pragma once

#include <exception>
#include <memory>

#include "base/asio.h"

namespace base {

/// A coroutine that runs beside its owner, who can wait for it with a bound, cancel it, and let go of it when it does
/// not end all the same. What the coroutine uses must then live as long as the process.
class BoundedTask {
 public:
  /// Starts `work` on `executor`, which must be the owner's.
  BoundedTask(const asio::any_io_executor& executor, Awaitable<void> work);
  BoundedTask(const BoundedTask&) = delete;
  BoundedTask& operator=(const BoundedTask&) = delete;

  bool has_ended() const noexcept;
  /// What `work` threw; operation_aborted when its owner has let go of it.
  std::exception_ptr failure() const;

  void cancel();
  /// Wakes those who wait. Without effect when it has ended.
  void let_go();

  /// Returns when it has ended, or its owner has let go of it.
  Awaitable<void> wait() const;
  /// The same, but at most for `patience`; ask has_ended() behind it.
  Awaitable<void> wait_for(Milliseconds patience) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace base
