#pragma once

#include <memory>
#include <string>

#include "base/asio.h"

namespace csctl {

/// Tells a person at a terminal (standard error), from the first second on, what is waited for and how long already;
/// the line goes when the wait ends. Nobody else sees anything.
class WaitSign {
 public:
  WaitSign(const asio::any_io_executor& executor, std::string whom);
  WaitSign(const WaitSign&) = delete;
  WaitSign& operator=(const WaitSign&) = delete;
  ~WaitSign() { end(); }

  void end();

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  ///< nothing: nobody watches
};

}  // namespace csctl
