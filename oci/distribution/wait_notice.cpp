#include "oci/distribution/wait_notice.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "base/log.h"

namespace oci {

/// Held by the timer's handler, which may run once more when the notice is gone.
struct WaitNotice::State {
  base::Timer timer;
  std::string host;
  std::string what;
  base::Milliseconds interval;
  base::Milliseconds waited{0};
  bool over = false;
};

WaitNotice::WaitNotice(const asio::any_io_executor& executor, std::string host, std::string what,
                       base::Milliseconds first, base::Milliseconds interval)
    : state_(new State{base::Timer(executor), std::move(host), std::move(what), interval}) {
  arm(state_, first);
}

void WaitNotice::end() {
  if (std::exchange(state_->over, true)) return;
  state_->timer.cancel();
}

void WaitNotice::arm(const std::shared_ptr<State>& state, base::Milliseconds delay) {
  state->timer.expires_after(delay);
  state->timer.async_wait([state, delay](const boost::system::error_code&) {
    if (state->over) return;
    state->waited += delay;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(state->waited);
    base::log::info("waiting for the registry",
                    {{"host", state->host}, {"for", state->what}, {"waited_sec", std::int64_t{seconds.count()}}});
    arm(state, state->interval);
  });
}

}  // namespace oci
