#include "base/service_manager.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <systemd/sd-daemon.h>

namespace base {
namespace {

constexpr int kKeepEnvironment = 0;
constexpr int kUnsetEnvironment = 1;
constexpr Milliseconds kShortestInterval{1};

/// The variables of sd_watchdog_enabled(3), WATCHDOG_USEC and WATCHDOG_PID.
std::optional<Milliseconds> take_watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(kUnsetEnvironment, &microseconds) <= 0) return std::nullopt;
  constexpr std::uint64_t kMaxMicroseconds = std::uint64_t{1} << 50U;
  const auto half = std::chrono::microseconds(std::min(microseconds, kMaxMicroseconds) / 2);
  return std::max(std::chrono::duration_cast<Milliseconds>(half), kShortestInterval);
}

void notify(const std::string& state, int environment = kKeepEnvironment) {
  static_cast<void>(::sd_notify(environment, state.c_str()));
}

}  // namespace

ServiceManager::ServiceManager(asio::any_io_executor executor)
    : executor_(std::move(executor)), watchdog_interval_(take_watchdog_interval()) {}

void ServiceManager::ready() const { notify("READY=1"); }

void ServiceManager::status(std::string_view text) const {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');  // each line is an assignment of its own
  notify("STATUS=" + line);
}

void ServiceManager::reloading() const {
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceManager::stopping() const { notify("STOPPING=1", kUnsetEnvironment); }

Awaitable<void> ServiceManager::keep_alive() {
  while (watchdog_interval_) {
    notify("WATCHDOG=1");
    co_await sleep_for(executor_, *watchdog_interval_);
  }
}

}  // namespace base
