#include "csctl/input/wait_sign.h"

#include <chrono>
#include <iostream>
#include <unistd.h>

#include "base/log.h"
#include "base/timer.h"

namespace csctl {
namespace {

constexpr std::chrono::seconds kInterval{1};
/// Back to the line's begin, and nothing behind it (ECMA-48, EL).
constexpr const char* kClear = "\r\x1b[K";

}  // namespace

/// Held by the timer's handler, which may run once more when the sign is gone.
struct WaitSign::State {
  base::Timer timer;
  std::string whom;
  std::ostream& terminal;
  std::chrono::seconds waited{0};
  bool is_over = false;
};

WaitSign::WaitSign(const asio::any_io_executor& executor, const std::string& whom, std::ostream* terminal) {
  if (terminal == nullptr) return;
  state_.reset(new State{base::Timer(executor), base::log::one_line(whom), *terminal});
  arm(state_);
}

void WaitSign::arm(const std::shared_ptr<State>& state) {
  state->timer.expires_after(kInterval);
  state->timer.async_wait([state](const boost::system::error_code&) {
    if (state->is_over) return;
    state->waited += kInterval;
    state->terminal << kClear << "waiting for " << state->whom << ", " << state->waited.count() << " s" << std::flush;
    arm(state);
  });
}

void WaitSign::end() {
  if (!state_) return;
  state_->is_over = true;
  state_->timer.cancel();
  if (state_->waited.count() > 0) state_->terminal << kClear << std::flush;
  state_.reset();
}

std::ostream* terminal_of_person() { return ::isatty(STDERR_FILENO) == 1 ? &std::cerr : nullptr; }

}  // namespace csctl
