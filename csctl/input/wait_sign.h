#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "base/asio.h"

namespace csctl {

/// Tells a person, from the first second on, for whom is waited and how long already. The line goes when the wait ends.
class WaitSign {
 public:
  /// `terminal` is where it is shown; nullptr: nobody watches.
  WaitSign(const asio::any_io_executor& executor, const std::string& whom, std::ostream* terminal);
  WaitSign(const WaitSign&) = delete;
  WaitSign& operator=(const WaitSign&) = delete;
  ~WaitSign() { end(); }

  void end();

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  ///< nothing: nobody watches, or the wait has ended
};

/// Standard error, where that is a terminal; else nullptr.
std::ostream* terminal_of_person();

}  // namespace csctl
