#include "csctl/input/wait_sign.h"

#include <chrono>
#include <iostream>
#include <unistd.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "base/log.h"

namespace csctl {
namespace {

constexpr std::chrono::seconds kInterval{1};
/// Back to the line's begin, and nothing behind it (ECMA-48, EL).
constexpr const char* kClear = "\r\x1b[K";

}  // namespace

struct WaitSign::State {
  State(const asio::any_io_executor& executor, std::string text) : timer(executor), whom(std::move(text)) {}

  asio::steady_timer timer;
  std::string whom;
  std::chrono::seconds waited{0};
};

WaitSign::WaitSign(const asio::any_io_executor& executor, std::string whom) {
  if (::isatty(STDERR_FILENO) != 1) return;
  state_ = std::make_shared<State>(executor, std::move(whom));
  arm(state_);
}

void WaitSign::arm(const std::shared_ptr<State>& state) {
  state->timer.expires_after(kInterval);
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (error) return;
    state->waited += kInterval;
    std::cerr << kClear << "waiting for " << base::log::one_line(state->whom) << ", " << state->waited.count() << " s"
              << std::flush;
    arm(state);
  });
}

void WaitSign::end() {
  if (!state_) return;
  state_->timer.cancel();
  if (state_->waited.count() > 0) std::cerr << kClear << std::flush;
  state_.reset();
}

}  // namespace csctl
