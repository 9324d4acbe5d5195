#pragma once

#include <memory>
#include <string>

#include "base/asio.h"

namespace oci {

/// Says in the log that an answer of the registry is waited for, and how long already, until it begins or this goes.
class WaitNotice {
 public:
  /// `what` is asked of `host`. The first line comes after `first`, the others every `interval`.
  WaitNotice(const asio::any_io_executor& executor, std::string host, std::string what, base::Milliseconds first,
             base::Milliseconds interval);
  WaitNotice(const WaitNotice&) = delete;
  WaitNotice& operator=(const WaitNotice&) = delete;
  ~WaitNotice() { end(); }

  void end();

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state, base::Milliseconds delay);

  std::shared_ptr<State> state_;
};

}  // namespace oci
